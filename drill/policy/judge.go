package policy

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/verify/history"
)

// Judge holds what was seen against the policy, adds it to the account, and has the
// verdict say so. It waits for desired to be real again for as long as the policy allows.
func (w *Watcher) Judge(ctx context.Context, outcome *drill.Outcome) {
	r := &outcome.Report
	var found []history.Report
	for _, s := range silences(r) {
		s.mode = w.mode
		if s.meant < time.Duration(w.mode.DetectWithin) {
			found = append(found, s.borne(w.seen()))
			continue
		}
		for !s.over(w.seen()) && passes(ctx, every) {
		}
		samples := w.seen()
		s.nodes = s.affected(samples)
		found = append(found, s.known(samples), s.acted(samples), s.recovered(samples))
	}
	add(r, found)
}

// silences are the times in which nodes were stopped, in their order, and what was meant.
func silences(r *report.Report) []*silence {
	type planned struct {
		at    scenario.Duration
		fault *scenario.Fault
	}
	var meant []planned
	alone := true
	for i := range r.Scenario.Faults {
		f := &r.Scenario.Faults[i]
		if f.Kind != scenario.LoseNodes {
			alone = false
			continue
		}
		for n := range max(1, f.Times) {
			meant = append(meant, planned{f.At + scenario.Duration(n)*f.Every, f})
		}
	}
	slices.SortStableFunc(meant, func(a, b planned) int { return cmp.Compare(a.at, b.at) })
	var all []*silence
	for i := range r.Faults {
		band := &r.Faults[i]
		if band.Kind != string(scenario.LoseNodes) || len(all) == len(meant) {
			continue
		}
		f := meant[len(all)].fault
		all = append(all, &silence{
			from: r.Began.Add(band.From), to: r.Began.Add(band.To), meant: time.Duration(f.For), count: f.Count,
			alone: alone && (len(all) == 0 || !all[len(all)-1].to.After(r.Began.Add(band.From))),
		})
	}
	return all
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
