package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
	"github.com/candor-plane/candor/verify/history"
	"github.com/candor-plane/candor/verify/replay"
)

// print writes what a replay came to.
func (o *ReplayOptions) print(format output.Format, d *replayDocument) error {
	switch {
	case format.Structured() && o.Step:
		return output.Line(o.Out, map[string]any{"report": d})
	case format.Structured():
		return format.Document(o.Out, d)
	}
	if d.Object != nil {
		text, err := output.YAML(d.Object)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(o.Out, text); err != nil {
			return err
		}
		// What was asked for is on stdout; the rest is for who wonders.
		_, err = io.WriteString(o.Err, reportText(d))
		return err
	}
	_, err := io.WriteString(o.Out, reportText(d))
	return err
}

func reportText(d *replayDocument) string {
	var b strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-10s%s\n", name, output.Clean(fmt.Sprintf(format, args...)))
	}
	entries := "no entry after it"
	if d.Entries > 0 {
		entries = fmt.Sprintf("entries %d to %d", d.First, d.Last)
	}
	row("Replayed", "%s, from %s, %s", d.Source, d.Base, entries)
	row("Turns", "%s in %s entries, %s refused · %s in %s", output.Count(d.Turns), output.Count(d.Entries), output.Count(d.Refused),
		rate(d.TurnsPerSecond), d.Took.Round(time.Millisecond))
	if d.Faults+d.Violations > 0 {
		row("Blocked", "%d turn faults, %d invariant violations: see --step, candor diagnostics", d.Faults, d.Violations)
	}
	row("State", "%s · digest %s", d.Token, d.Digest)
	row("Compared", "%s", comparedText(d.Report))
	for _, s := range d.Starts {
		row("From", "%s", startText(&s, d.Report))
	}
	for _, damaged := range d.Damaged {
		row("DAMAGED", "%s", damaged)
	}
	if m := d.Mismatch; m != nil {
		row("DIFFERS", "%s", mismatchText(d.Report))
	}
	b.WriteString(stateText(d.State))
	for _, n := range d.Notes {
		row("Note", "%s", n)
	}
	row("Verdict", "%s", replayVerdict(d.Report))
	return b.String()
}

func rate(perSecond float64) string {
	if perSecond <= 0 {
		return "too fast to measure"
	}
	return output.Count(uint64(perSecond)) + " turns/s"
}

func comparedText(r *replay.Report) string {
	text := fmt.Sprintf("%s digests, %d differ", output.Count(uint64(r.Checked)), r.Mismatches)
	if r.Checked == 1 {
		text = fmt.Sprintf("1 digest, %d differs", r.Mismatches)
	}
	if r.Outside > 0 {
		text += fmt.Sprintf(" · %s are of entries that were not replayed", output.Count(uint64(r.Outside)))
	}
	return text
}

func mismatchText(r *replay.Report) string {
	m := r.Mismatch
	text := fmt.Sprintf("after entry %d: %s says %s, the replay came to %s", m.Index, m.By, m.Digest, m.Replayed)
	switch {
	case m.Agreed+1 == m.Index:
		text += fmt.Sprintf("; after entry %d they agreed", m.Agreed)
	case m.Agreed > 0:
		text += fmt.Sprintf("; they agreed last after entry %d, and nothing was published between", m.Agreed)
	default:
		text += "; nothing before it could be compared"
	}
	return text
}

func startText(s *replay.Start, whole *replay.Report) string {
	switch {
	case s.Problem != "":
		return s.Base.String() + ": " + s.Problem
	case s.Verdict == history.Pass:
		return fmt.Sprintf("%s, %d entries on: the same state", s.Base, s.Entries)
	default:
		return fmt.Sprintf("%s, %d entries on: ANOTHER state, digest %s instead of %s", s.Base, s.Entries, s.Digest, whole.Digest)
	}
}

func stateText(s *replay.StateDifference) string {
	if s == nil {
		return ""
	}
	text := fmt.Sprintf("at entry %d the server has %d objects otherwise than its log makes them (log | server):", s.Index, s.Total)
	switch {
	case s.Same:
		text = fmt.Sprintf("the server is now, at entry %d, in the state that its log comes to", s.Index)
	case s.Total == 0:
		text = fmt.Sprintf("at entry %d the server has every object as its log makes it; what differs is beside them: history, requests, members", s.Index)
	}
	return fmt.Sprintf("%-10s%s\n", "Now", output.Clean(text)) + objectsText(s.Objects, s.Total)
}

func objectsText(objects []replay.ObjectDifference, total int) string {
	var b strings.Builder
	line := func(format string, args ...any) { b.WriteString(output.Clean(fmt.Sprintf(format, args...)) + "\n") }
	for _, d := range objects {
		line("  %s  %s | %s", d.Object, apartText(d.A), apartText(d.B))
		for _, c := range d.Changes {
			line("    %s", c.String())
		}
	}
	if more := total - len(objects); more > 0 {
		line("  and %d more", more)
	}
	return b.String()
}

func apartText(revision uint64) string {
	if revision == 0 {
		return "not there"
	}
	return fmt.Sprintf("revision %d", revision)
}

func replayVerdict(r *replay.Report) string {
	if r.Why != "" {
		return string(r.Verdict) + ": " + r.Why
	}
	return string(r.Verdict)
}

// turnText is one turn in a few lines.
func turnText(t *replay.Turn, indent string) string {
	var b strings.Builder
	line := func(format string, args ...any) {
		b.WriteString(indent + output.Clean(fmt.Sprintf(format, args...)) + "\n")
	}
	position := fmt.Sprintf("%d:%d", t.Term, t.Index)
	if t.Ordinal > 0 {
		position += fmt.Sprintf("+%d", t.Ordinal)
	}
	wall := ""
	if !t.Wall.IsZero() {
		wall = "  " + t.Wall.Format(time.RFC3339Nano)
	}
	who := t.Actor
	if t.Duty != "" {
		who += fmt.Sprintf(" (%s, era %d)", t.Duty, t.Era)
	}
	line("%s  %s by %s  %s%s", position, t.Command, who, t.Result(), wall)
	for _, a := range t.Asks {
		line("    %s", a)
	}
	if t.Reason != "" {
		line("    refused: %s", t.Message)
	}
	for _, v := range t.Versions {
		line("    %s %s @%d%s", versionMark(&v), v.Object, v.Revision, changedText(v.Changes))
	}
	for _, x := range append(t.Items, t.Blocked...) {
		line("    %s", x)
	}
	line("    digest %s", t.Digest)
	return b.String()
}

func versionMark(v *replay.Version) string {
	switch {
	case v.Deleted:
		return "-"
	case v.Created:
		return "+"
	default:
		return "~"
	}
}

// mostChanges is how many fields of a version are shown.
const mostChanges = 6

func changedText(changes []candor.FieldChange) string {
	var parts []string
	for i, c := range changes {
		if i == mostChanges {
			parts = append(parts, fmt.Sprintf("and %d more", len(changes)-i))
			break
		}
		parts = append(parts, c.String())
	}
	if len(parts) == 0 {
		return ""
	}
	return "  " + strings.Join(parts, ", ")
}
