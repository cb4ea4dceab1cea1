package fsm

import (
	"encoding/json"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/invariant"
	"github.com/candor-plane/candor/fsm/policy"
	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/internal/zoo"
)

// changeTransition is one event of a transition. What it would do is what it does:
// an assessment runs the same rules on the same entry and stops before the change.
func (d *draft) changeTransition() *candor.Error {
	c := &d.cmd.Transition
	if c.Verb == command.TransitionDispose {
		return d.dispose()
	}
	event := d.cmd.TransitionEvent()
	if event == nil {
		return candor.Errorf(candor.ReasonInvalid, "transition event of verb %d: this build does not know it", c.Verb)
	}
	before := d.m.state.transition(event.Kind, event.Target)
	plan, facts, err := d.facts(event, before)
	if err != nil {
		return err
	}
	if d.m.skip&ruleForward != 0 || zoo.Enabled && zoo.Has(zoo.AdmitEndedChange) {
		facts.Entry.Pending, facts.Entry.Ended = facts.Entry.Ended, transition.Record{}
	}
	after := before
	var v transition.Verdict
	after.Entry, v = transition.Publish(facts, event, d.revision())
	d.verdict = &v
	if err := d.mayChange(event, v, &plan); err != nil {
		if c.Assess && err.Reason == candor.ReasonEpochMismatch {
			v.Action, v.Phase, v.Why = transition.ActionRefuse, transition.PhaseConflicted, err.Message
			return nil
		}
		return err
	}
	if c.Assess {
		return nil
	}
	if err := v.Err(); err != nil {
		return err
	}
	if v.Action == transition.ActionApply {
		if event.Type == transition.EventPlan {
			err = d.begin(&plan)
		} else {
			err = d.end(facts.Entry.Pending, v, event, d.report())
		}
		if err != nil {
			return err
		}
		d.move(before, after)
	}
	return d.settle(before.key(), d.m.state.leaderID)
}

// facts are what the event is judged by, and the plan that it makes or that it is about.
// A plan that must not enter the root is refused whatever else stands.
func (d *draft) facts(event *transition.Event, before TransitionEntry) (plan transition.Plan, f transition.Facts, err *candor.Error) {
	s := d.m.state
	f.Entry = before.Entry
	if event.Type == transition.EventPlan {
		if plan, err = d.plan(event); err != nil {
			return plan, f, err
		}
	} else if !before.Pending.IsZero() {
		if plan, err = s.planOf(before.Pending.ID); err != nil {
			return plan, f, err
		}
	}
	if event.Kind.Derived() && len(plan.Intent) > 0 && plan.Digest() == event.Intent {
		m, err := transition.ReadMembership(plan.Intent)
		if err != nil {
			return plan, f, err
		}
		f.Satisfied = transition.Satisfied(event.Kind, event.Target, m, s.membersUnder(s.leaderID))
	}
	return plan, f, nil
}

// report is what the command says of the work, in times that cluster time has reached.
func (d *draft) report() transition.Journal {
	c, now := d.cmd, d.m.state.time
	t := &c.Transition
	reached := func(at int64) int64 { return max(0, min(at, now)) }
	j := transition.Journal{
		Executor: clone(c.Holder), Times: transition.Times{Admitted: reached(t.Admitted), Executing: reached(t.Executing), Applied: reached(t.Applied)},
		Outcome: transition.Outcome(clone(string(t.Outcome))), Reason: candor.Reason(clone(c.Reason)), Message: clone(c.Message),
	}
	return j
}

// end writes how a transition ended into its object.
func (d *draft) end(r transition.Record, v transition.Verdict, event *transition.Event, report transition.Journal) *candor.Error {
	ref := candor.Ref{Kind: candor.KindTransitions, Name: r.ID}
	before := d.live(ref)
	if before == nil {
		return &candor.Error{Reason: candor.ReasonDataCorrupt, Subject: ref.String(), Message: sprintf("%s pends and has no object", ref)}
	}
	status, err := transition.ReadStatus(before.Status)
	if err != nil {
		return err
	}
	status = status.End(v, event, d.revision(), d.m.state.time, report)
	if d.m.skip&rulePublish != 0 {
		status.Publish = transition.PublishPending
	}
	after := *before
	after.Status = json.RawMessage(status.JSON())
	return d.change(ref, before, &after, invariant.SectionStatus)
}

// move changes the index with the draft.
func (d *draft) move(before, after TransitionEntry) {
	after.Void = after.Void && !after.Pending.IsZero()
	d.turn.Transitions = append(d.turn.Transitions, invariant.TransitionChange{Before: before.Entry, After: after.Entry})
	d.effects = append(d.effects, func(s *state) { s.setTransition(after) })
}

// verdictAgain is the answer to a request that was accepted before: what its turn made,
// or, of one that changed nothing, how things stand now.
func (m *Machine) verdictAgain(env environment, c *command.Command, res *Result) *transition.Verdict {
	event := c.TransitionEvent()
	if event == nil {
		return nil
	}
	if len(res.Ops) > 0 {
		if t, err := transitionOf(mustDecode(res.Ops[0].Version)); err == nil && t.Plan.Kind == event.Kind && t.Plan.Target == event.Target {
			return &transition.Verdict{Action: transition.ActionApply, Phase: t.Status.Phase, Standing: t.Plan.ID()}
		}
	}
	d := new(draft)
	d.reset(m, env, c)
	_, f, err := d.facts(event, m.state.transition(event.Kind, event.Target))
	if err != nil {
		return nil
	}
	v := transition.Assess(f, event)
	return &v
}

// planOf reads the plan of a transition that the index names.
func (s *state) planOf(id string) (transition.Plan, *candor.Error) {
	v := s.head(candor.Ref{Kind: candor.KindTransitions, Name: id})
	if v == nil || v.Deleted {
		return transition.Plan{}, candor.Errorf(candor.ReasonDataCorrupt, "transition %s pends and has no object", id)
	}
	return transition.ReadSpec(mustDecode(v).Spec)
}

// intended is what a pending membership change wants.
func (s *state) intended(id string) (transition.Membership, bool) {
	plan, err := s.planOf(id)
	if err != nil {
		return transition.Membership{}, false
	}
	m, err := transition.ReadMembership(plan.Intent)
	return m, err == nil
}

// mayTransit judges a transition event as what it is about: of the members, as their
// administration.
func (d *draft) mayTransit() *candor.Error {
	t := &d.cmd.Transition
	ask := policy.Ask{Verb: policy.Update, Kind: policy.Transitions, Name: t.Kind}
	switch {
	case t.Assess:
		ask.Verb = policy.Get
	case transition.Kind(t.Kind).Derived():
		ask = membershipAsk(transition.Kind(t.Kind), t.Target)
	case t.Verb == command.TransitionPlan:
		ask.Verb = policy.Create
	case t.Verb == command.TransitionCancel, t.Verb == command.TransitionDispose:
		ask.Verb = policy.Delete
	}
	return d.allowed(ask)
}

// membershipAsk is what a change of members takes, and its cancellation too.
func membershipAsk(kind transition.Kind, target string) policy.Ask {
	ask := policy.Ask{Verb: policy.Update, Kind: policy.Members, Name: target}
	switch kind {
	case transition.MemberAdd:
		ask.Verb = policy.Create
	case transition.MemberRemove, transition.MemberReplace:
		ask.Verb = policy.Delete
	case transition.LeaderTransfer:
		ask.Kind = policy.Leadership
	case transition.MemberPromote: // as it is
	}
	return ask
}
