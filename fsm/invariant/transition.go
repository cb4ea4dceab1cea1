package invariant

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/transition"
)

// TransitionChange is what the index holds of one kind and target before and after the
// turn.
type TransitionChange struct{ Before, After transition.Entry }

// transitionIdentity holds the objects to their own names, and the index to the objects.
func transitionIdentity(t *Turn) *Violation {
	const name = "TransitionIdentity"
	for i := range t.Changes {
		c := &t.Changes[i]
		if c.Ref.Kind != candor.KindTransitions {
			continue
		}
		before, after, bad, worse := t.reading(i)
		switch {
		case bad != nil:
			return violated(name, c.Ref, bad.Message)
		case worse != nil:
			return violated(name, c.Ref, worse.Message)
		case after != nil && after.Plan.ID() != c.Ref.Name:
			return violated(name, c.Ref, "by its plan it is "+after.Plan.ID())
		case before == nil && after != nil && after.Plan.Revision != t.TokenAfter.Revision:
			return violated(name, c.Ref, "it was planned in another turn")
		}
	}
	for i := range t.Transitions {
		p := t.Transitions[i].After.Pending
		if p.IsZero() || p.ID == t.Transitions[i].Before.Pending.ID {
			continue
		}
		ref := candor.Ref{Kind: candor.KindTransitions, Name: p.ID}
		if x, err := transitionOf(t.Live(ref)); err != nil || x == nil || x.Plan.Record() != p {
			return violated(name, ref, "the index says that it pends, and its object says something else")
		}
	}
	return overTransitions(t, name, transition.Identity)
}

func forwardOnlyOutcome(t *Turn) *Violation {
	return overTransitions(t, "ForwardOnlyOutcome", transition.ForwardOnlyOutcome)
}

func noSkippedPublish(t *Turn) *Violation {
	const name = "NoSkippedPublish"
	for i := range t.Transitions {
		e := t.Transitions[i].After.Ended
		if e.IsZero() || e.ID == t.Transitions[i].Before.Ended.ID {
			continue
		}
		ref := candor.Ref{Kind: candor.KindTransitions, Name: e.ID}
		if x, err := transitionOf(t.Live(ref)); err != nil || x == nil || x.Status.Phase != e.Phase || x.Status.Revision != e.Ended {
			return violated(name, ref, "the index says that it ended, and its object does not")
		}
	}
	return overTransitions(t, name, transition.NoSkippedPublish)
}

func noHiddenDrop(t *Turn) *Violation {
	const name = "NoHiddenDrop"
	for i := range t.Transitions {
		before, after := t.Transitions[i].Before.Pending, &t.Transitions[i].After
		if !before.IsZero() && after.Pending.ID != before.ID && after.Ended.ID != before.ID {
			return violated(name, candor.Ref{Kind: candor.KindTransitions, Name: before.ID}, "the index forgets it while it pends")
		}
	}
	return overTransitions(t, name, transition.NoHiddenDrop)
}

// overTransitions runs a guarantee over the objects that the turn changes; one that
// cannot be read is TransitionIdentity's to name.
func overTransitions(t *Turn, name string, guarantee func(before, after *transition.Transition) string) *Violation {
	for i := range t.Changes {
		c := &t.Changes[i]
		if c.Ref.Kind != candor.KindTransitions {
			continue
		}
		before, after, bad, worse := t.reading(i)
		if bad != nil || worse != nil {
			continue
		}
		if wrong := guarantee(before, after); wrong != "" {
			return violated(name, c.Ref, wrong)
		}
	}
	return nil
}

// transitionReading is a changed transition as its two objects say it, or why they
// cannot be read.
type transitionReading struct {
	change        int
	before, after *transition.Transition
	bad, worse    *candor.Error
}

// reading reads both objects of a change, once a turn: every guarantee asks for them.
func (t *Turn) reading(change int) (before, after *transition.Transition, bad, worse *candor.Error) {
	for i := range t.readings {
		if r := &t.readings[i]; r.change == change {
			return r.before, r.after, r.bad, r.worse
		}
	}
	c := &t.Changes[change]
	r := transitionReading{change: change}
	r.before, r.bad = transitionOf(c.Before)
	r.after, r.worse = transitionOf(c.After)
	t.readings = append(t.readings, r)
	return r.before, r.after, r.bad, r.worse
}

// transitionOf reads an object; nil for none.
func transitionOf(o *candor.Object) (*transition.Transition, *candor.Error) {
	if o == nil {
		return nil, nil
	}
	plan, err := transition.ReadSpec(o.Spec)
	if err != nil {
		return nil, err
	}
	status, err := transition.ReadStatus(o.Status)
	if err != nil {
		return nil, err
	}
	return &transition.Transition{Plan: plan, Status: status}, nil
}
