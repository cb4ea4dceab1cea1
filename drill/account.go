package drill

import (
	"fmt"
	"slices"
	"time"

	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/drill/workload"
	"github.com/candor-plane/candor/verify/evidence"
	"github.com/candor-plane/candor/verify/history"
)

// tests are the checks that each workload gives enough to check.
var tests = map[string][]evidence.Name{
	workload.Registers:    {evidence.Linearizability, evidence.Durability},
	workload.Lists:        {evidence.Linearizability, evidence.Durability},
	workload.Transactions: {evidence.Linearizability},
	workload.Watchers:     {evidence.Watches},
	workload.Readers:      {evidence.Staleness, evidence.Sessions},
	workload.Numbers:      {evidence.Tenures},
	workload.Holders:      {evidence.Tenures, evidence.Durability},
	workload.Placements:   {evidence.Placements},
}

// account checks the record and writes the account.
func (r *run) account(wall time.Time) (*Outcome, error) {
	r.phase("the record is checked")
	e, err := r.recorder.Evidence()
	if err != nil {
		return nil, err
	}
	e.Source = "candor drill " + r.Scenario.Name
	bands := r.harm.done()
	summary := evidence.Check(e, r.demands())
	out := report.Report{
		Scenario: *r.Scenario, Layer: r.Stage.Layer(), Seed: r.Seed, Command: r.Command,
		Began: wall, Took: r.axis.now(), Version: r.Version, Machine: r.Machine,
		Lanes: r.observer.lanes.drawn(bands), Faults: bands, Census: &summary.Census,
		Latency: latency(e.History), Ends: r.ends(),
	}
	out.Gaps = r.gaps(e.History, out.Lanes.Nodes, bands)
	pauses(e.History, out.Faults, out.Lanes.Nodes)
	out.Properties = append(summary.Reports, r.expectations(&out)...)
	out.Violations = report.Violations(out.Properties, 0)
	out.Flags = report.Flags(out.Violations)
	out.Verdict, out.Why = r.judge(&out)
	return &Outcome{Report: out, Evidence: e}, nil
}

// demands are what the traffic must have been worth.
func (r *run) demands() evidence.Demands {
	d := evidence.Demands{
		Demanded: map[evidence.Name]int{evidence.Determinism: 1, evidence.Invariants: 1},
		Load:     &history.Load{Acknowledged: r.Scenario.Expect.Acknowledged},
	}
	for _, w := range r.Scenario.Load.Workloads {
		for _, name := range tests[w.Name] {
			d.Demanded[name] = 20
		}
	}
	return d
}

// latency is what every operation took, by class.
func latency(h *history.History) []report.Series {
	samples := map[report.Class][]report.Sample{}
	for o := range h.All() {
		if workload.Compared(o) {
			continue
		}
		s := report.Sample{At: time.Duration(o.Invoke), Took: time.Duration(o.Return - o.Invoke), Reason: string(o.Reason), Outcome: report.Refused}
		switch o.Outcome {
		case history.OutcomeOK:
			s.Outcome = report.Answered
		case history.OutcomeUnknown:
			s.Outcome = report.OutcomeUnknown
		default: // surely not done
		}
		samples[classOf(o)] = append(samples[classOf(o)], s)
	}
	var all []report.Series
	for _, class := range []report.Class{report.Write, report.Strong, report.Bounded, report.BestEffort} {
		if len(samples[class]) > 0 {
			all = append(all, report.NewSeries(class, samples[class], 0))
		}
	}
	return all
}

// mostGaps is how many of a class are told.
const mostGaps = 20

func (r *run) gaps(h *history.History, lanes []report.NodeLane, bands []report.Band) []report.Gaps {
	found := gapsOf(h, r.began, r.ended)
	var all []report.Gaps
	for _, class := range []report.Class{report.Write, report.Strong, report.Bounded, report.BestEffort} {
		limit, bounded := r.Scenario.Expect.Gap[string(class)]
		gaps := found[class]
		if !bounded && len(gaps) == 0 {
			continue
		}
		gaps = gaps[:min(len(gaps), mostGaps)]
		for i := range gaps {
			gaps[i].Waited = waits(gaps[i], lanes, bands)
		}
		all = append(all, report.Gaps{Class: class, Limit: time.Duration(limit), Gaps: gaps})
	}
	return all
}

func (r *run) ends() []report.End {
	var all []report.End
	for _, e := range r.Stage.Ended() {
		all = append(all, report.End{
			Server: e.Server, At: e.At.Sub(r.axis.began), Reason: string(e.Reason), Message: e.Message, Expected: r.expects(e),
		})
	}
	return all
}

// judge is the verdict and why: a violation before everything else, then whatever kept
// the drill from saying anything.
func (r *run) judge(out *report.Report) (history.Verdict, []string) {
	var broken, open []string
	for i := range out.Properties {
		p := &out.Properties[i]
		if _, unchecked := r.Scenario.Expect.Unchecked[p.Check]; unchecked && p.Check != "" {
			continue
		}
		switch p.Verdict {
		case history.Violated:
			broken = append(broken, fmt.Sprintf("%s: %s", p.Property, p.Violation.Sentence))
		case history.Inconclusive:
			open = append(open, fmt.Sprintf("%s: %s", p.Property, p.Why))
		default: // kept
		}
	}
	for _, b := range out.Faults {
		if b.Note != "" {
			open = append(open, fmt.Sprintf("%s of %v: %s", b.Kind, b.Targets, b.Note))
		} else if b.Bite.Seen == 0 {
			open = append(open, fmt.Sprintf("%s of %v was not seen to have an effect", b.Kind, b.Targets))
		}
	}
	open = append(slices.Clone(r.short), open...)
	switch {
	case len(broken) > 0:
		return history.Violated, append(broken, open...)
	case len(open) > 0:
		return history.Inconclusive, open
	default:
		return history.Pass, []string{fmt.Sprintf("%s, %d operations were recorded, and no check found a promise broken", bitten(len(out.Faults)), out.Census.Operations)}
	}
}

// bitten says how many faults there were, all of which bit.
func bitten(n int) string {
	switch n {
	case 0:
		return "nothing was done to the cluster"
	case 1:
		return "the fault bit"
	default:
		return fmt.Sprintf("all %d faults bit", n)
	}
}
