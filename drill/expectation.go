package drill

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/verify/history"
)

// CheckExpectations is the check that a scenario's own expectations belong to.
const CheckExpectations = "expectations"

// expectations hold what was seen against what the scenario says beside all promises.
func (r *run) expectations(out *report.Report) []history.Report {
	if r.early {
		return []history.Report{r.trust(), r.endings()}
	}
	all := []history.Report{r.trust(), r.wellness(), r.endings()}
	for i := range out.Gaps {
		if out.Gaps[i].Limit > 0 {
			all = append(all, r.waiting(&out.Gaps[i]))
		}
	}
	if r.Scenario.Expect.Leader != "" {
		all = append(all, r.leadership())
	}
	return all
}

// expectation is one of them: kept, broken with a sentence, or not to be told for a
// reason.
func expectation(property, broken, open string, checked int) history.Report {
	e := history.Report{Check: CheckExpectations, Property: property, Checked: checked, Why: open}
	if broken != "" && open == "" {
		e.Break(func() string { return broken }, nil)
	}
	return e.Conclude(1)
}

// trust is that the drill's own calls, which no workload records, were told nothing that
// cannot be.
func (r *run) trust() history.Report {
	broken := ""
	if r.broken != nil {
		broken = r.broken.Error()
	}
	return expectation("no promise is broken to the drill itself", broken, "", 1)
}

func (r *run) wellness() history.Report {
	if r.unwell != nil {
		return expectation("the cluster becomes well again", r.unwell.Error(), r.busy(r.ended-patience, r.ended, patience/4), 1)
	}
	return expectation("the cluster becomes well again", "", "", 1)
}

func (r *run) endings() history.Report {
	broken := ""
	for _, e := range r.Stage.Ended() {
		if !r.expects(e) && broken == "" {
			broken = fmt.Sprintf("%s ended: %s %s", e.Server, e.Reason, e.Message)
		}
	}
	return expectation("no server ends by itself", broken, "", len(r.Stage.Servers()))
}

// waiting holds the longest wait of a class against its bound. A machine that stood
// still itself proves nothing by being late.
func (r *run) waiting(g *report.Gaps) history.Report {
	property := fmt.Sprintf("%ss wait no longer than %s", g.Class, g.Limit)
	if g.Class != report.Write {
		property = fmt.Sprintf("%s reads wait no longer than %s", g.Class, g.Limit)
	}
	if g.Kept() {
		e := history.Report{Check: CheckExpectations, Property: property, Checked: 1}
		e.Near(int64(g.Limit-g.Longest()), "ns")
		return e.Conclude(1)
	}
	return expectation(property, fmt.Sprintf("one waited %s", g.Longest().Round(time.Millisecond)), r.busyIn(g), 1)
}

func (r *run) leadership() history.Report {
	_, changes := r.observer.leads()
	if r.Scenario.Expect.Leader == scenario.LeaderStays {
		broken := ""
		if changes > 0 {
			broken = fmt.Sprintf("the leader changed %d times, and the fault did not concern it", changes)
		}
		return expectation("the leader stays", broken, r.starved(broken), 1)
	}
	open := ""
	if changes == 0 {
		open = "the leader did not change, though the fault should have made it"
	}
	return expectation("the leader changes", "", open, 1)
}

// starving is how long this process may have stood still before a change of leaders
// says nothing of the cluster: as long as a leader's lease lasts.
const starving = 125 * time.Millisecond

// starved says that what is broken is so because the machine stood still; empty where it
// did not, or nothing is.
func (r *run) starved(broken string) string {
	if longest, _ := r.observer.stoodStill(r.began, r.ended); broken != "" && longest >= starving {
		return tooBusy(longest)
	}
	return ""
}

// busyIn says that a class's longest gap is a good part the machine's own.
func (r *run) busyIn(g *report.Gaps) string {
	longest := slices.MaxFunc(g.Gaps, func(a, b report.Gap) int { return cmp.Compare(a.Took(), b.Took()) })
	return r.busy(longest.From, longest.To, longest.Took()/4)
}

// busy says that this process did not get to run for so much of a time; empty if it did.
func (r *run) busy(from, to, least time.Duration) string {
	if _, sum := r.observer.stoodStill(from, to); sum >= least {
		return tooBusy(sum)
	}
	return ""
}

func tooBusy(still time.Duration) string {
	return fmt.Sprintf("the machine was too busy to say so: this process itself did not run for %s", still.Round(time.Millisecond))
}
