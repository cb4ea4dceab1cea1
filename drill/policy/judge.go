package policy

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/verify/history"
)

// silences are the times in which nodes were stopped, in their order, and what was meant.
func silences(r *report.Report) []*silence {
	meant, alone := planned(r, scenario.LoseNodes)
	var all []*silence
	for i := range r.Faults {
		band := &r.Faults[i]
		if band.Kind != string(scenario.LoseNodes) || len(all) == len(meant) {
			continue
		}
		f := meant[len(all)]
		all = append(all, &silence{
			from: r.Began.Add(band.From), to: r.Began.Add(band.To), meant: time.Duration(f.For), count: f.Count,
			alone: alone && (len(all) == 0 || !all[len(all)-1].to.After(r.Began.Add(band.From))),
		})
	}
	return all
}

// planned are the faults of these kinds as they were meant to come, one that is repeated as
// often, and whether there are none of other kinds.
func planned(r *report.Report, kinds ...scenario.Kind) (meant []*scenario.Fault, alone bool) {
	type turn struct {
		at    scenario.Duration
		fault *scenario.Fault
	}
	var turns []turn
	alone = true
	for i := range r.Scenario.Faults {
		f := &r.Scenario.Faults[i]
		if !slices.Contains(kinds, f.Kind) {
			alone = false
			continue
		}
		for n := range max(1, f.Times) {
			turns = append(turns, turn{f.At + scenario.Duration(n)*f.Every, f})
		}
	}
	slices.SortStableFunc(turns, func(a, b turn) int { return cmp.Compare(a.at, b.at) })
	for _, t := range turns {
		meant = append(meant, t.fault)
	}
	return meant, alone
}

// add puts what was found into the account.
func add(r *report.Report, found []history.Report) {
	var broken, open []string
	for i := range found {
		switch p := &found[i]; p.Verdict {
		case history.Violated:
			broken = append(broken, fmt.Sprintf("%s: %s", p.Property, p.Violation.Sentence))
		case history.Inconclusive:
			open = append(open, fmt.Sprintf("%s: %s", p.Property, p.Why))
		default: // kept
		}
	}
	r.Properties = append(r.Properties, found...)
	r.Violations = report.Violations(r.Properties, 0)
	r.Flags = report.Flags(r.Violations)
	if len(broken) == 0 && len(open) == 0 {
		return
	}
	if r.Verdict == history.Pass {
		r.Verdict, r.Why = history.Inconclusive, nil
	}
	if len(broken) > 0 {
		r.Verdict = history.Violated
	}
	r.Why = slices.Concat(broken, r.Why, open)
}
