package coverage

import (
	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/verify/coverage/lifecycle"
)

// mostPending bounds how many transitions are looked at that have not ended.
const mostPending = 1024

// transition is a version of a transition's object.
func (o *observer) transition(c *change) {
	if c.after == nil {
		if c.before != nil {
			if status, err := transition.ReadStatus(c.before.Status); err == nil {
				o.add(c.ref.Name, lifecycle.Transition, lifecycle.State(status.Phase), lifecycle.Gone, "dispose")
			}
		}
		return
	}
	after, err := transition.ReadStatus(c.after.Status)
	if err != nil {
		return
	}
	var before transition.Status
	if c.before != nil {
		if before, err = transition.ReadStatus(c.before.Status); err != nil {
			return
		}
	}
	stalled := false
	if plan, err := transition.ReadSpec(c.after.Spec); err == nil && before.Phase != "" {
		t := transition.Transition{Plan: plan, Status: before}
		stalled = t.Overdue(o.now, true) != nil
	}
	o.seen = append(o.seen, ofTransition(c.ref.Name, &before, &after, stalled)...)
}

// ofTransition are the steps between two statuses in the root; the zero Status is none.
// The phases that only an executor knows are read off its report.
func ofTransition(id string, before, after *transition.Status, stalled bool) []Sight {
	var seen []Sight
	add := func(from, to lifecycle.State, event string) {
		seen = append(seen, Sight{Step: lifecycle.Step{Lifecycle: lifecycle.Transition, From: from, To: to, Event: event}, Of: id})
	}
	if before.Phase == "" {
		add(lifecycle.Absent, lifecycle.State(after.Phase), "plan")
		return seen
	}
	if before.Phase == after.Phase {
		return nil
	}
	at := lifecycle.State(before.Phase)
	if stalled {
		at = lifecycle.Stalled
	} else if !before.Phase.Terminal() {
		for _, p := range []struct {
			phase transition.Phase
			event string
		}{{transition.PhaseAdmitted, "admit"}, {transition.PhaseExecuting, "execute"}, {transition.PhaseApplied, "apply"}} {
			if after.Times.Of(p.phase) != 0 && before.Times.Of(p.phase) == 0 {
				add(at, lifecycle.State(p.phase), p.event)
				at = lifecycle.State(p.phase)
			}
		}
	}
	event := lifecycle.EndEvent(after.Phase)
	if event == "" {
		event = "move"
	}
	add(at, lifecycle.State(after.Phase), event)
	return seen
}

// stalls are the transitions whose deadline the entry's time passed.
func (o *observer) stalls() {
	if o.now == o.was {
		return
	}
	for _, t := range o.turn.Before.PendingTransitions("", mostPending) {
		if t.Overdue(o.was, true) == nil && t.Overdue(o.now, true) != nil {
			o.add(t.Plan.ID(), lifecycle.Transition, lifecycle.State(t.Status.Phase), lifecycle.Stalled, "time")
		}
	}
}
