package determinism

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// Agreement checks that all digests of one index are the same, whichever node and boot
// told them. Items are digests that another node or boot can be held against.
func Agreement(digests []Digest, least int) history.Report {
	report := history.Report{Property: "digests agree on every node and boot"}
	sorted := slices.Clone(digests)
	slices.SortStableFunc(sorted, func(a, b Digest) int {
		return cmp.Or(cmp.Compare(a.Index, b.Index), cmp.Compare(a.Node, b.Node), cmp.Compare(a.Boot, b.Boot))
	})
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && sorted[n].Index == sorted[0].Index {
			n++
		}
		agree(&report, sorted[:n])
		sorted = sorted[n:]
	}
	return report.Conclude(least)
}

// agree compares the digests of one index with the first of them.
func agree(report *history.Report, of []Digest) {
	first := &of[0]
	for i := range of[1:] {
		d := &of[i+1]
		if d.Digest != first.Digest {
			report.Checked++
			report.Break(func() string {
				return fmt.Sprintf("at index %d %s and %s have different states", d.Index, first.who(), d.who())
			}, nil, first.exhibit(), d.exhibit())
			continue
		}
		// A node that says the same twice proves nothing.
		if last := &of[i]; last.Node != d.Node || last.Boot != d.Boot {
			report.Checked++
		} else {
			report.Leave("digests that one boot told again")
		}
	}
	if len(of) == 1 {
		report.Leave("digests of an index that one node alone told")
	}
}

// Same checks that what was computed again, from the log or from a snapshot and the rest
// of the log, is what nodes had, and what every other such computation gave.
func Same(digests []Digest, replays []Replay, least int) history.Report {
	report := history.Report{Property: "the log, and a snapshot with its tail, make the same state"}
	live := map[uint64]*Digest{}
	for i := range digests {
		if live[digests[i].Index] == nil {
			live[digests[i].Index] = &digests[i]
		}
	}
	again := map[uint64]*Replay{}
	for i := range replays {
		r := &replays[i]
		d, other := live[r.Index], again[r.Index]
		switch {
		case d != nil && d.Digest != r.Digest:
			report.Checked++
			report.Break(func() string {
				return fmt.Sprintf("at index %d %s had another state than %s makes", r.Index, d.who(), r.From)
			}, nil, d.exhibit(), r.exhibit())
		case other != nil && other.Digest != r.Digest:
			report.Checked++
			report.Break(func() string {
				return fmt.Sprintf("at index %d %s and %s make different states", r.Index, other.From, r.From)
			}, nil, other.exhibit(), r.exhibit())
		case d != nil || other != nil && (other.From != r.From || other.Node != r.Node):
			report.Checked++
		default:
			report.Leave("replays of an index of which nothing else is known")
		}
		if other == nil {
			again[r.Index] = r
		}
	}
	return report.Conclude(least)
}

// Unbroken checks that no turn was blocked by an invariant. Items are turns: entries that
// the furthest node has applied.
func Unbroken(turns []Turns, least int) history.Report {
	return blocked(turns, least, "no turn broke an invariant", candor.ReasonInvariantViolated,
		func(t *Turns) uint64 { return t.Violations })
}

// Unfailed checks that no turn panicked.
func Unfailed(turns []Turns, least int) history.Report {
	return blocked(turns, least, "no turn failed", candor.ReasonTurnFault,
		func(t *Turns) uint64 { return t.Faults })
}

func blocked(turns []Turns, least int, property string, reason candor.Reason, counted func(*Turns) uint64) history.Report {
	report := history.Report{Property: property}
	for i := range turns {
		t := &turns[i]
		report.Checked = max(report.Checked, int(t.Index))
		found := false
		for j := range t.Records {
			if r := &t.Records[j]; r.Reason == reason {
				found = true
				report.Break(func() string {
					return fmt.Sprintf("%s says that a turn was blocked at index %d: %s: %s", t.who(), r.Index, cmp.Or(r.Invariant, string(r.Reason)), cmp.Or(r.Detail, r.Subject))
				}, nil, t.exhibit())
			}
		}
		if n := counted(t); n > 0 && !found {
			report.Break(func() string { return fmt.Sprintf("%s counts %d turns blocked with %s", t.who(), n, reason) }, nil, t.exhibit())
		}
	}
	return report.Conclude(least)
}

func who(node, boot string) string {
	if boot == "" {
		return "node " + node
	}
	return "node " + node + ", boot " + boot
}

func (d *Digest) who() string { return who(d.Node, d.Boot) }
func (t *Turns) who() string  { return who(t.Node, t.Boot) }

func (d *Digest) exhibit() history.Exhibit {
	return history.Exhibit{Record: "digest", Text: fmt.Sprintf("%s at index %d: %s", d.who(), d.Index, d.Digest)}
}

func (r *Replay) exhibit() history.Exhibit {
	text := fmt.Sprintf("%s up to index %d: %s", r.From, r.Index, r.Digest)
	if r.Node != "" {
		text += ", files of node " + r.Node
	}
	return history.Exhibit{Record: "replay", Text: text}
}

func (t *Turns) exhibit() history.Exhibit {
	var text strings.Builder
	fmt.Fprintf(&text, "%s at index %d: %d violations, %d faults", t.who(), t.Index, t.Violations, t.Faults)
	for i := range t.Records {
		r := &t.Records[i]
		fmt.Fprintf(&text, "; %d.%d %s %s %s, by %s: %s", r.Index, r.Ordinal, r.Reason, r.Invariant, r.Subject, r.Actor, r.Detail)
	}
	return history.Exhibit{Record: "turns", Text: text.String()}
}
