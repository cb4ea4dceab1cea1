package report

import (
	"cmp"
	"slices"
	"time"
)

// Class of operations, as scenario.Expect names them.
type Class string

// The classes, in the order in which they are shown; others follow by name.
const (
	Write      Class = "write"
	Strong     Class = "strong"
	Bounded    Class = "bounded"
	BestEffort Class = "best-effort"
)

// Outcome is what a client knew after a call.
type Outcome string

// The outcomes of calls. A refused one was surely not done, or not answered.
const (
	Answered       Outcome = "ok"
	OutcomeUnknown Outcome = "unknown"
	Refused        Outcome = "refused"
)

// Sample is one operation: when it began and what came of it.
type Sample struct {
	At      time.Duration `json:"at"`
	Took    time.Duration `json:"took"`
	Outcome Outcome       `json:"outcome"`
	// Reason of what is not ok.
	Reason string `json:"reason,omitempty"`
}

// Series is what operations of one class took. The counts and percentiles are of
// all of them, Samples is what a picture needs.
type Series struct {
	Class   Class `json:"class"`
	Ok      int   `json:"ok"`
	Unknown int   `json:"unknown"`
	Refused int   `json:"refused"`
	// P50, P99 and Max are of those that were ok.
	P50 time.Duration `json:"p50"`
	P99 time.Duration `json:"p99"`
	Max time.Duration `json:"max"`
	// LeftOut counts operations that are not among Samples.
	LeftOut int      `json:"leftOut,omitempty"`
	Samples []Sample `json:"samples,omitempty"`
}

// MaxSamples is how many samples of a class are kept unless the caller asks for
// another bound.
const MaxSamples = 1500

// NewSeries counts the samples and keeps at most bound of them (MaxSamples when 0),
// always the same ones: time is cut into equal slices, and in each the slowest and
// the fastest of every outcome are kept before others. It does not keep or change
// the slice.
func NewSeries(class Class, samples []Sample, bound int) Series {
	if bound <= 0 {
		bound = MaxSamples
	}
	all := slices.Clone(samples)
	slices.SortStableFunc(all, inOrder)
	s := Series{Class: class}
	var took []time.Duration
	for i := range all {
		switch all[i].Outcome {
		case Answered:
			s.Ok++
			took = append(took, all[i].Took)
		case Refused:
			s.Refused++
		default:
			all[i].Outcome = OutcomeUnknown
			s.Unknown++
		}
	}
	slices.Sort(took)
	s.P50, s.P99, s.Max = at(took, 50), at(took, 99), at(took, 100)
	s.Samples = thin(all, bound)
	s.LeftOut = len(all) - len(s.Samples)
	return s
}

func inOrder(a, b Sample) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Took, b.Took), cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Reason, b.Reason))
}

// at is the percentile by nearest rank of what is sorted.
func at(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := (len(sorted)*percent + 99) / 100
	return sorted[max(rank, 1)-1]
}

// thin keeps at most bound of what is sorted by time.
func thin(all []Sample, bound int) []Sample {
	if len(all) <= bound {
		return all
	}
	keep := make([]bool, len(all))
	kept := 0
	take := func(i int) {
		if i >= 0 && !keep[i] && kept < bound {
			keep[i] = true
			kept++
		}
	}
	for _, o := range []Outcome{OutcomeUnknown, Refused, Answered} {
		slowest := -1
		for i := range all {
			if all[i].Outcome == o && (slowest < 0 || all[i].Took > all[slowest].Took) {
				slowest = i
			}
		}
		take(slowest)
	}
	for _, i := range extremes(all, max(1, bound/8)) {
		take(i)
	}
	rest := bound - kept
	for n := range rest {
		take(n * len(all) / rest)
	}
	return chosen(all, keep)
}

// extremes are the indexes of the slowest, then of the fastest, of every outcome in
// each of so many slices of time.
func extremes(all []Sample, slots int) []int {
	type cell struct {
		slot    int
		outcome Outcome
	}
	slowest, fastest := map[cell]int{}, map[cell]int{}
	var order []cell
	first, last := all[0].At, all[len(all)-1].At
	for i := range all {
		slot := 0
		if last > first {
			slot = int(int64(all[i].At-first) / (int64(last-first)/int64(slots) + 1))
		}
		c := cell{slot, all[i].Outcome}
		was, seen := slowest[c]
		if !seen {
			order = append(order, c)
			slowest[c], fastest[c] = i, i
			continue
		}
		if all[i].Took > all[was].Took {
			slowest[c] = i
		}
		if all[i].Took < all[fastest[c]].Took {
			fastest[c] = i
		}
	}
	var found []int
	for _, c := range order {
		found = append(found, slowest[c])
	}
	for _, c := range order {
		found = append(found, fastest[c])
	}
	return found
}

func chosen(all []Sample, keep []bool) []Sample {
	var some []Sample
	for i := range all {
		if keep[i] {
			some = append(some, all[i])
		}
	}
	return some
}
