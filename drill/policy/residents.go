package policy

import (
	"context"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/verify/history"
)

// residents is the subject of a policy for workloads: the drill's own instances, which its
// stage made.
type residents struct {
	policy *candor.FailurePolicySpec
	wanted int
	rolls  looks[roll]
}

func (s *residents) begin(ctx context.Context, k *client.Client) error {
	for {
		r, err := call(ctx, k, s.wanted)
		if err == nil && r.real() {
			return nil
		}
		if !passes(ctx) {
			return candor.Errorf(candor.ReasonTimedOut, "%d of %d instances are ready", r.ready, r.wanted)
		}
	}
}

func (s *residents) look(ctx context.Context, k *client.Client) error {
	r, err := call(ctx, k, s.wanted)
	if err == nil {
		s.rolls.add(r)
	}
	return err
}

func (s *residents) judge(ctx context.Context, r *report.Report) []history.Report {
	var found []history.Report
	for _, a := range ailments(r, s.policy) {
		if a.short() {
			found = append(found, a.borne(s.rolls.seen()))
			continue
		}
		a.ages(s.rolls.seen())
		for !a.over(s.rolls.seen(), time.Now()) && passes(ctx) {
		}
		found = append(found, a.verdicts(s.rolls.seen())...)
	}
	return found
}

// ailments are the times in which instances were ended, or their probes failed, in their
// order: those by a signal of which the policy says something.
func ailments(r *report.Report, policy *candor.FailurePolicySpec) []*ailment {
	meant, alone := planned(r, scenario.EndInstances, scenario.FailProbes)
	var all []*ailment
	nth := 0
	var ended time.Time
	for i := range r.Faults {
		band := &r.Faults[i]
		kind := scenario.Kind(band.Kind)
		if kind != scenario.EndInstances && kind != scenario.FailProbes || nth == len(meant) {
			continue
		}
		a := &ailment{
			from: r.Began.Add(band.From), to: r.Began.Add(band.To), meant: time.Duration(meant[nth].For), nth: nth,
			alone: alone && !ended.After(r.Began.Add(band.From)),
		}
		nth++
		ended = a.to
		if n := len(all); n > 0 && all[n-1].next.IsZero() {
			all[n-1].next = a.from
		}
		signal := candor.SignalExit
		if a.probe = kind == scenario.FailProbes; a.probe {
			signal = candor.SignalProbe
		}
		mode := scenario.ModeBy(policy, signal)
		if mode == nil {
			continue
		}
		a.mode = *mode
		for _, b := range band.Befell {
			a.uids = append(a.uids, b.UID)
		}
		all = append(all, a)
	}
	return all
}
