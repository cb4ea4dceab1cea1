package drill

import (
	"cmp"
	"slices"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/drill/workload"
	"github.com/candor-plane/candor/verify/history"
)

// shortGap is what is not worth a line.
const shortGap = 250 * time.Millisecond

// classOf is the class of an operation, as reports have it.
func classOf(o *history.Operation) report.Class {
	switch o.Freshness() {
	case candor.FreshnessStrong:
		return report.Strong
	case candor.FreshnessBounded:
		return report.Bounded
	case candor.FreshnessBestEffort:
		return report.BestEffort
	default:
		return report.Write
	}
}

// gapsOf are the times within [from, to] of the record in which operations of each
// class were under way or refused, and none was answered, the longest first. A time
// in which nobody asked is no gap.
func gapsOf(h *history.History, from, to time.Duration) map[report.Class][]report.Gap {
	type call struct {
		invoked, returned time.Duration
		answered          bool
	}
	calls := map[report.Class][]call{}
	for o := range h.All() {
		if workload.Compared(o) {
			continue
		}
		c := call{time.Duration(o.Invoke), time.Duration(o.Return), o.Outcome == history.OutcomeOK}
		if c.returned >= from && c.invoked <= to {
			calls[classOf(o)] = append(calls[classOf(o)], c)
		}
	}
	found := map[report.Class][]report.Gap{}
	for class, of := range calls {
		answers := []time.Duration{from}
		for _, c := range of {
			if c.answered && c.returned <= to {
				answers = append(answers, c.returned)
			}
		}
		slices.Sort(answers)
		answers = append(answers, to)
		for i := range len(answers) - 1 {
			gap := report.Gap{From: max(answers[i], from), To: answers[i+1]}
			if gap.Took() < shortGap {
				continue
			}
			// Somebody waited from the first invocation within the gap on, or all along.
			begins := gap.To
			for _, c := range of {
				if c.invoked < gap.To && c.returned > gap.From {
					begins = min(begins, max(c.invoked, gap.From))
				}
			}
			if gap.From = begins; gap.Took() >= shortGap {
				found[class] = append(found[class], gap)
			}
		}
		slices.SortStableFunc(found[class], func(a, b report.Gap) int { return cmp.Compare(b.Took(), a.Took()) })
	}
	return found
}

// waits tells what a gap waited on, by what the servers said of themselves: until
// somebody was seen to stand for election it was detection, or the watchdog where the
// leader's disk failed, until somebody led election, and until its end the first
// commit. Where nothing of that was seen, nothing is known. What is seen is seen late,
// by the time between two looks at most.
func waits(gap report.Gap, lanes []report.NodeLane, bands []report.Band) []report.Wait {
	stood, led := time.Duration(-1), time.Duration(-1)
	before := leaderAt(lanes, gap.From)
	for _, lane := range lanes {
		for _, in := range lane.Intervals {
			if in.From <= gap.From || in.From >= gap.To+2*look {
				continue
			}
			at := min(in.From, gap.To)
			switch {
			case in.State == report.Candidate && (stood < 0 || at < stood):
				stood = at
			case in.State == report.Leader && lane.Node != before && (led < 0 || at < led):
				led = at
			default: // nobody's rise
			}
		}
	}
	if led < 0 {
		return nil
	}
	if stood < 0 || stood > led {
		stood = led
	}
	noticed := report.Detection
	if slices.ContainsFunc(bands, func(b report.Band) bool {
		return (b.Kind == string(scenario.HangDisk) || b.Kind == string(scenario.FailDisk)) && slices.Contains(b.Targets, before) && b.From < gap.To && gap.From < b.To
	}) {
		noticed = report.Watchdog
	}
	return []report.Wait{
		{On: noticed, For: stood - gap.From},
		{On: report.Election, For: led - stood},
		{On: report.FirstCommit, For: gap.To - led},
	}
}

// leaderAt is who led at a time; empty where nobody was seen to.
func leaderAt(lanes []report.NodeLane, at time.Duration) string {
	for _, lane := range lanes {
		for _, in := range lane.Intervals {
			if in.State == report.Leader && in.From <= at && at < in.To {
				return lane.Node
			}
		}
	}
	return ""
}
