package fsm

import (
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/invariant"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
)

// dispose removes the objects of transitions that ended long enough ago, and forgets
// those that were the newest of their kind and target. Until then a late duplicate of
// their plans is known for what it is, so nothing goes earlier than a request does.
func (d *draft) dispose() *candor.Error {
	c, s := &d.cmd.Transition, d.m.state
	switch {
	case d.cmd.Duty != tenure.DutyJanitor:
		return candor.Errorf(candor.ReasonForbidden, "disposal of transitions takes the tenure of duty %s", tenure.DutyJanitor)
	case c.Keep < maxRequestAge:
		return candor.Errorf(candor.ReasonInvalid, "transitions are kept for %d s at least; the command says %d s", maxRequestAge/1e9, c.Keep/1e9)
	}
	for i, id := range c.IDs {
		ref := candor.Ref{Kind: candor.KindTransitions, Name: clone(id)}
		o, _ := d.stored(ref)
		if o == nil || slices.Contains(c.IDs[:i], id) {
			continue
		}
		t, err := transitionOf(o)
		if err != nil {
			return err
		}
		if d.m.skip&ruleDispose == 0 && !t.Status.Disposable(s.time, c.Keep) {
			continue
		}
		last := *o
		if err := d.remove(ref, o, &last, candor.PropagateBackground, invariant.SectionLife); err != nil {
			return err
		}
		if x := s.transition(t.Plan.Kind, t.Plan.Target); x.Ended.ID == id {
			after := x
			after.Ended = transition.Record{}
			d.move(x, after)
		}
	}
	return nil
}
