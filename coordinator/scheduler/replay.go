package scheduler

import (
	"fmt"
	"slices"

	"github.com/candor-plane/candor"
)

// Earlier is a decision of the same batch with a smaller place.
type Earlier struct {
	Ref      candor.Ref
	Decision candor.Decision
}

// Replay decides again what was decided: on the model at the decision's token, after
// the earlier items of its batch. Those that the turn refused count too, for the batch
// had taken them for granted. The model is afterwards as it was. The instance must be
// in it at the version that was decided about.
//
// REPLAY_UNAVAILABLE: the algorithm, the token or the version is another, or the result is
// and an earlier item is missing: it left no trace where its instance was gone when its turn
// came. DECISION_DIFFERS: the result is, with every item there; Message says where first.
func Replay(m *Model, earlier []Earlier, ref candor.Ref, d *candor.Decision) candor.Replay {
	_, replay := Again(m, earlier, ref, d, Brief)
	return replay
}

// Again is Replay, and what was decided now: nothing where the replay is unavailable.
func Again(m *Model, earlier []Earlier, ref candor.Ref, d *candor.Decision, mode Mode) (Outcome, candor.Replay) {
	unavailable := func(format string, args ...any) (Outcome, candor.Replay) {
		return Outcome{}, candor.Replay{Reason: candor.ReasonReplayUnavailable, Message: fmt.Sprintf(format, args...)}
	}
	if d.Algorithm != Algorithm {
		return unavailable("it was decided by algorithm %d; this is %d", d.Algorithm, Algorithm)
	}
	if d.Token != m.token {
		return unavailable("it was decided at %s; the state at hand is of %s", d.Token, m.token)
	}
	inst := m.instances[ref]
	if inst == nil || inst.revision != d.Instance {
		return unavailable("%s is not there at version %d", ref, d.Instance)
	}
	mark := m.mark()
	defer m.undo(mark)
	ordered := slices.Clone(earlier)
	slices.SortStableFunc(ordered, func(a, b Earlier) int { return a.Decision.Place - b.Decision.Place })
	next := 0 // the place that comes next, if none is missing
	for i := range ordered {
		if ordered[i].Decision.Token != d.Token || ordered[i].Decision.Place >= d.Place {
			continue
		}
		if ordered[i].Decision.Place == next {
			next++
		}
		if err := m.repeat(&ordered[i]); err != nil {
			return unavailable("place %d of the batch: %v", ordered[i].Decision.Place, err)
		}
	}
	again, err := m.decide(ref, d.Place, mode)
	if err != nil {
		return unavailable("%v", err)
	}
	what := difference(d, &again.Decision)
	if what != "" && next < d.Place {
		return unavailable("place %d of its batch left no trace, and without it: %s", next, what)
	}
	if what != "" {
		return again, candor.Replay{Reason: candor.ReasonDecisionDiffers, Message: what}
	}
	return again, candor.Replay{Same: true}
}

// repeat assumes what an earlier item was given.
func (m *Model) repeat(e *Earlier) error {
	inst := m.instances[e.Ref]
	if inst == nil || inst.revision != e.Decision.Instance {
		return candor.Errorf(candor.ReasonNotFound, "%s is not there at version %d", e.Ref, e.Decision.Instance)
	}
	o := Outcome{Ref: e.Ref, Decision: e.Decision}
	if e.Decision.Verdict == candor.VerdictRefused {
		o.Decision.Verdict = proposed(&e.Decision)
	}
	if o.Decision.Verdict == candor.VerdictPlaced || o.Decision.Verdict == candor.VerdictNominated {
		if _, ok := m.byName[o.Decision.Node]; !ok {
			return candor.Errorf(candor.ReasonNotFound, "nodes/%s is not there", o.Decision.Node)
		}
	}
	var gone []*instance
	for _, key := range e.Decision.Victims {
		namespace, name := candor.SplitKey(key)
		victim := m.instances[candor.Ref{Kind: candor.KindInstances, Namespace: namespace, Name: name}]
		if victim == nil {
			return candor.Errorf(candor.ReasonNotFound, "victim %s is not there", key)
		}
		gone = append(gone, victim)
		o.Victims = append(o.Victims, Victim{Ref: victim.ref})
	}
	for _, b := range m.budgetsOf() {
		use := BudgetUse{Ref: b.ref}
		for _, victim := range gone {
			if b.covers(victim) {
				use.Instances = append(use.Instances, victim.uid)
			}
		}
		if len(use.Instances) > 0 {
			o.Budgets = append(o.Budgets, use)
		}
	}
	m.follow(&o)
	return nil
}

// proposed is what a refused decision had proposed: the turn refuses nothing without
// a node, and a nomination only together with its victims.
func proposed(d *candor.Decision) candor.Verdict {
	switch {
	case d.Node == "":
		return candor.VerdictNothingFits
	case len(d.Victims) > 0:
		return candor.VerdictNominated
	default:
		return candor.VerdictPlaced
	}
}

// difference is the first that two decisions do not agree in, or empty.
func difference(was, is *candor.Decision) string {
	verdict := was.Verdict
	if verdict == candor.VerdictRefused {
		verdict = proposed(was)
	}
	for _, f := range []struct {
		name    string
		was, is any
		same    bool
	}{
		{"verdict", verdict, is.Verdict, verdict == is.Verdict},
		{"node", was.Node, is.Node, was.Node == is.Node},
		{"considered", was.Considered, is.Considered, was.Considered == is.Considered},
		{"reasons", was.Reasons, is.Reasons, slices.Equal(was.Reasons, is.Reasons)},
		{"best", was.Best, is.Best, slices.Equal(was.Best, is.Best)},
		{"margin", was.Margin, is.Margin, was.Margin == is.Margin},
		{"tieBreak", was.TieBreak, is.TieBreak, was.TieBreak == is.TieBreak},
		{"victims", was.Victims, is.Victims, slices.Equal(was.Victims, is.Victims)},
		{"digest", was.Digest, is.Digest, was.Digest == is.Digest},
	} {
		if !f.same {
			return fmt.Sprintf("%s: was %v, is %v", f.name, f.was, f.is)
		}
	}
	return ""
}
