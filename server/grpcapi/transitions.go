package grpcapi

import (
	"context"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// Work is what this node does about transitions.
type Work interface {
	// Journals are its executors'.
	Journals() []transition.Journal
	// ClusterTime is about what it is now.
	ClusterTime() int64
	// MemberName is that of a server ID; empty for one that is no member.
	MemberName(id string) string
}

// Transitions is the transition service.
type Transitions struct {
	candorv1.UnimplementedTransitionServiceServer
	machine  *fsm.Machine
	reader   Reader
	proposer Proposer
	work     Work
}

// NewTransitions returns the service.
func NewTransitions(machine *fsm.Machine, reader Reader, proposer Proposer, work Work) *Transitions {
	if machine == nil || reader == nil || proposer == nil || work == nil {
		panic("grpcapi: every dependency of the transition service is required")
	}
	return &Transitions{machine: machine, reader: reader, proposer: proposer, work: work}
}

// defaultTransitions is how many are listed.
const defaultTransitions = 500

// Transitions lists them by this node's view.
func (s *Transitions) Transitions(_ context.Context, in *candorv1.TransitionsRequest) (*candorv1.TransitionsResponse, error) {
	limit := int(in.GetLimit())
	if limit == 0 {
		limit = defaultTransitions
	}
	view, now := s.machine.View(), s.work.ClusterTime()
	out := &candorv1.TransitionsResponse{ClusterTime: now, Witness: unasked(s.reader.Witness(view))}
	if in.GetId() != "" {
		t, err := transitionNamed(view, in.GetId())
		if err != nil {
			return nil, err
		}
		out.Transitions = append(out.Transitions, s.shown(view, &t, now))
		return out, nil
	}
	var all []transition.Transition
	err := view.List(candor.KindTransitions, "", "", 0, func(v *mvcc.Version) bool {
		if t, err := readTransition(v); err == nil && (!in.GetPending() || !t.Status.Phase.Terminal()) {
			all = append(all, t)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b transition.Transition) int {
		if a.Plan.Revision > b.Plan.Revision {
			return -1
		}
		return 1
	})
	if len(all) > limit {
		all, out.Truncated = all[:limit], true
	}
	for i := range all {
		out.Transitions = append(out.Transitions, s.shown(view, &all[i], now))
	}
	return out, nil
}

// CancelTransition gives one up. It begins with a strong read, so that nobody who is
// behind, or no member any more, says that there is none.
func (s *Transitions) CancelTransition(ctx context.Context, in *candorv1.CancelTransitionRequest) (*candorv1.CancelTransitionResponse, error) {
	view, _, err := s.reader.View(ctx, candor.ReadRequest{Freshness: candor.FreshnessStrong})
	if err != nil {
		return nil, err
	}
	t, err := transitionNamed(view, in.GetId())
	if err != nil {
		return nil, err
	}
	p := PrincipalOf(ctx)
	if err := checkActor(p.Actor); err != nil {
		return nil, err
	}
	c := command.Cancel(p.Actor, &t.Plan, "CANCELLED", in.GetReason())
	c.Verified, c.Accessor = p.Verified(), p.Accessor
	result, err := s.proposer.Propose(ctx, c, 0)
	if err != nil {
		return nil, err
	}
	if err := result.Err(); err != nil {
		return nil, &decided{err}
	}
	if err := s.proposer.WaitApplied(ctx, result.Token.Index); err != nil {
		return nil, err
	}
	view = s.machine.View()
	if t, err = transitionNamed(view, in.GetId()); err != nil {
		return nil, err
	}
	return &candorv1.CancelTransitionResponse{Transition: s.shown(view, &t, s.work.ClusterTime()), Witness: unasked(s.reader.Witness(view))}, nil
}

func transitionNamed(view *fsm.View, id string) (transition.Transition, error) {
	v, err := view.Get(candor.Ref{Kind: candor.KindTransitions, Name: id}, 0)
	if err != nil {
		return transition.Transition{}, err
	}
	if v == nil {
		return transition.Transition{}, &candor.Error{Reason: candor.ReasonNotFound, Subject: id, Message: "there is no transition " + id}
	}
	return readTransition(v)
}

func readTransition(v *mvcc.Version) (transition.Transition, error) {
	o, err := v.Object()
	if err != nil {
		return transition.Transition{}, err
	}
	plan, bad := transition.ReadSpec(o.Spec)
	if bad != nil {
		return transition.Transition{}, bad
	}
	status, bad := transition.ReadStatus(o.Status)
	if bad != nil {
		return transition.Transition{}, bad
	}
	return transition.Transition{Plan: plan, Status: status}, nil
}

// shown is a transition together with what this node's executor knows of it.
func (s *Transitions) shown(view *fsm.View, of *transition.Transition, now int64) *candorv1.Transition {
	journals := s.work.Journals()
	t := transition.Merge(of.Plan, of.Status, journals...)
	p, x := &t.Plan, &t.Status
	out := &candorv1.Transition{
		Id: p.ID(), Kind: string(p.Kind), Target: p.Target, TargetName: s.work.MemberName(p.Target), Intent: p.Intent, Phase: string(x.Phase),
		PlannedAt: x.Times.Planned, AdmittedAt: x.Times.Admitted, ExecutingAt: x.Times.Executing, AppliedAt: x.Times.Applied, EndedAt: x.Times.Ended,
		Executor: x.Executor, Outcome: string(x.Outcome), PublishState: string(x.Publish), Deadline: p.Deadline, RetryClass: string(p.Retry),
		Reason: string(x.Reason), Message: x.Message, SupersededBy: x.SupersededBy, Parent: p.Parent, Actor: p.Actor, PlannedRevision: p.Revision,
		ConfigurationIndex: p.Configuration, Duty: p.Duty, Era: p.Era, PlanReason: p.Reason, PlanMessage: p.Message,
	}
	for i := range journals {
		if journals[i].ID == out.GetId() {
			out.Attempts = uint32(max(0, journals[i].Attempts))
		}
	}
	held := view.Tenure(tenure.Duty{Name: tenure.DutyTopology}).Current.State == tenure.StateActive
	if stalled := t.Overdue(now, held); stalled != nil {
		out.Stalled = &candorv1.Stalled{Cause: string(stalled.Cause), Since: stalled.Since, Deadline: stalled.Deadline, NextAction: string(stalled.Next)}
	}
	return out
}
