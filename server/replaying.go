package server

import (
	"bytes"
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/scheduler"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/server/explain"
)

// mostBatchTurns bounds in how many turns after the state that a batch was decided on its
// items are looked for: the placements are one turn, each eviction another.
const mostBatchTurns = 1 << 12

// modelAt is the scheduler's model of a view as of a token. An object that the scheduler
// cannot read is not in it, as it was not when decisions were taken.
func modelAt(view *fsm.View, at candor.Token) (*scheduler.Model, error) {
	if err := view.Readable(at.Revision); err != nil {
		return nil, err
	}
	m := scheduler.NewModel()
	for _, kind := range [...]candor.KindName{candor.KindNodes, candor.KindDisruptionBudgets, candor.KindInstances} {
		var failed error
		err := view.List(kind, "", "", at.Revision, func(v *mvcc.Version) bool {
			var o *candor.Object
			if o, failed = v.Object(); failed == nil {
				_, _ = m.Apply(o, kind)
			}
			return failed == nil
		})
		if err == nil {
			err = failed
		}
		if err != nil {
			return nil, err
		}
	}
	m.Advance(at)
	return m, nil
}

// earlierOf are the items with a smaller place of a decision's batch: those that were
// written under the same era, up to the turn that wrote the decision itself. Later
// versions of an instance carry its decision on; the first one counts.
func earlierOf(view *fsm.View, of candor.Ref, d *candor.Decision) []scheduler.Earlier {
	type item struct {
		scheduler.Earlier
		era uint64
	}
	var items []item
	seen := map[string]bool{} // by instance and place
	era, own := uint64(0), false
	mark := fmt.Appendf(nil, `"d-%d-`, d.Token.Revision)
	last := min(view.Token().Revision, d.Token.Revision+mostBatchTurns)
	for r := d.Token.Revision + 1; r <= last && !own; r++ {
		for v := view.Turn(r); v != nil; v = v.Sibling() {
			if v.Deleted || !bytes.Contains(v.Data, mark) || view.KindName(v.Kind) != candor.KindInstances {
				continue
			}
			ref, x, under := decisionUnder(v)
			if x == nil || x.Token != d.Token || seen[x.ID+" "+ref.Key()] {
				continue
			}
			seen[x.ID+" "+ref.Key()] = true
			switch {
			case ref == of && x.Place == d.Place:
				era, own = under, true
			case x.Place < d.Place:
				items = append(items, item{scheduler.Earlier{Ref: ref, Decision: *x}, under})
			}
		}
	}
	var earlier []scheduler.Earlier
	for _, i := range items {
		if !own || i.era == era {
			earlier = append(earlier, i.Earlier)
		}
	}
	return earlier
}

// decisionUnder is the instance that a version is of, what it says was decided about it,
// nil for nothing, and the era that the version was written under.
func decisionUnder(v *mvcc.Version) (of candor.Ref, d *candor.Decision, era uint64) {
	of.Kind = candor.KindInstances
	of.Namespace, of.Name = candor.SplitKey(v.Key)
	d, cause := explain.DecisionIn(v)
	if cause != nil {
		era = cause.Era
	}
	return of, d, era
}

// again takes a decision about an instance again, on what is left in a view of the state
// that it was taken on. The outcome is empty where the replay is unavailable.
func again(view *fsm.View, of candor.Ref, d *candor.Decision, mode scheduler.Mode) (scheduler.Outcome, candor.Replay) {
	if d.Algorithm != scheduler.Algorithm {
		return scheduler.Outcome{}, candor.Replay{Reason: candor.ReasonReplayUnavailable, Message: fmt.Sprintf("it was decided by algorithm %d; this is %d", d.Algorithm, scheduler.Algorithm)}
	}
	m, err := modelAt(view, d.Token)
	if err != nil {
		return scheduler.Outcome{}, candor.Replay{Reason: candor.ReasonReplayUnavailable, Message: fmt.Sprintf("the state at %s is not there: %v", d.Token, err)}
	}
	return scheduler.Again(m, earlierOf(view, of, d), of, d, mode)
}
