package budgets

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/informer"
)

// Name of the controller.
const Name = "budgets"

// gather is for how long instances that are no loss to a budget are counted together: each
// count reads all of a namespace. What may take from what a budget allows is counted at
// once.
const gather = 50 * time.Millisecond

// Controller is the disruption budget controller, for the store that its runtime reads.
// It panics without one.
func Controller(store *informer.Store) controller.Controller {
	if store == nil {
		panic("budgets: a store is required")
	}
	around := func(c informer.Change) []candor.Ref {
		var all []candor.Ref
		for item := range store.Read().List(candor.KindDisruptionBudgets, c.Ref.Namespace) {
			all = append(all, item.Ref())
		}
		// Most namespaces have none: then nothing of the instance is read.
		if len(all) == 0 || sameHealth(c) {
			return nil
		}
		return all
	}
	return controller.Controller{
		Declaration: controller.Declaration{
			Name: Name,
			Inputs: []controller.Input{
				{Kind: candor.KindDisruptionBudgets},
				{Kind: candor.KindInstances, Map: func(c informer.Change) []candor.Ref {
					if refs := around(c); len(refs) > 0 && losesHealth(c) {
						return refs
					}
					return nil
				}},
				{Kind: candor.KindInstances, Gather: gather, Map: func(c informer.Change) []candor.Ref {
					if refs := around(c); len(refs) > 0 && !losesHealth(c) {
						return refs
					}
					return nil
				}},
				{Kind: candor.KindWorkloads, Map: around},
			},
			Outputs: []controller.Output{{Kind: candor.KindDisruptionBudgets, Section: controller.SectionStatus, Shared: true}},
		},
		Make: func(w controller.Writer) controller.Reconciler { return &reconciler{writer: w} },
	}
}

type reconciler struct{ writer controller.Writer }

// Reconcile counts one budget.
func (r *reconciler) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	view, err := Look(request.View, request.Ref)
	if view == nil || err != nil {
		return controller.Done(), err
	}
	if write := Decide(view); write != nil {
		if _, err := r.writer.Write(ctx, *write); err != nil {
			return controller.Done(), candor.Wrap("reconcile "+request.Ref.String(), err)
		}
	}
	return controller.Done(), nil
}

// sameHealth says whether a change of an instance leaves what budgets count as it was.
func sameHealth(c informer.Change) bool {
	if c.Ref.Kind != candor.KindInstances || c.Before == nil || c.After == nil || c.Before.Metadata.UID != c.After.Metadata.UID {
		return false
	}
	before, err := kinds.ReadInstance(c.Before)
	if err != nil {
		return false
	}
	after, err := kinds.ReadInstance(c.After)
	return err == nil && before.Ready() == after.Ready() && before.Live() == after.Live() && before.Terminating() == after.Terminating() &&
		maps.Equal(c.Before.Metadata.Labels, c.After.Metadata.Labels) && slices.Equal(c.Before.Metadata.Owners, c.After.Metadata.Owners)
}

// losesHealth says whether an instance was ready and is not any more.
func losesHealth(c informer.Change) bool {
	if c.Ref.Kind != candor.KindInstances || c.Before == nil {
		return false
	}
	before, err := kinds.ReadInstance(c.Before)
	if err != nil || !before.Ready() {
		return false
	}
	if c.After == nil || c.Before.Metadata.UID != c.After.Metadata.UID {
		return true
	}
	after, err := kinds.ReadInstance(c.After)
	return err != nil || !after.Ready()
}

// Look gathers what the count of one budget needs; nil where there is no such budget.
func Look(reader *informer.Reader, ref candor.Ref) (*View, error) {
	item := reader.Get(ref)
	if item == nil {
		return nil, nil
	}
	b, err := kinds.ReadBudget(item)
	if err != nil {
		return nil, err
	}
	instances, err := kinds.Collect(reader.List(candor.KindInstances, ref.Namespace), "", kinds.ReadInstance)
	if err != nil {
		return nil, err
	}
	return &View{
		Budget: b, Instances: instances, Token: reader.Token(),
		Workload: func(name string) *kinds.Workload {
			item := reader.Get(candor.Ref{Kind: candor.KindWorkloads, Namespace: ref.Namespace, Name: name})
			if item == nil {
				return nil
			}
			// One that does not decode counts for nothing: its instances count one by one.
			w, err := kinds.ReadWorkload(item)
			if err != nil {
				return nil
			}
			return w
		},
	}, nil
}
