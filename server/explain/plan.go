package explain

import (
	"context"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
)

// Wanted is one object of a plan, prepared as it would be applied.
type Wanted struct {
	Ref    candor.Ref
	Object *candor.Object
}

// Plan says what would come of objects at the view. Those that would change nothing are
// not in it.
func (e *Explainer) Plan(ctx context.Context, view *fsm.View, wanted []Wanted) (*candor.Plan, error) {
	plan := &candor.Plan{Token: view.Token()}
	var changed []*candor.Object
	for _, w := range wanted {
		v, err := view.Get(w.Ref, 0)
		if err != nil {
			return nil, err
		}
		if v == nil {
			plan.Creates = append(plan.Creates, candor.PlannedChange{Object: w.Ref})
			changed = append(changed, w.Object)
			continue
		}
		is, err := v.Object()
		if err != nil {
			return nil, err
		}
		if fields := desired(is, w.Object); len(fields) > 0 {
			plan.Updates = append(plan.Updates, candor.PlannedChange{Object: w.Ref, Fields: fields})
			changed = append(changed, w.Object)
		}
	}
	if len(changed) == 0 {
		return plan, nil
	}
	if err := e.scheduler.Place(ctx, view, changed, plan); err != nil {
		return nil, err
	}
	return plan, nil
}

// desired are the fields of what clients write in which an object is not as wanted.
func desired(is, want *candor.Object) []candor.FieldChange {
	was := *is
	was.Status, was.Observed = nil, nil
	was.Metadata.DeletionTime = want.Metadata.DeletionTime
	will := *want
	will.Status, will.Observed = nil, nil
	return candor.FieldChanges(&was, &will)
}
