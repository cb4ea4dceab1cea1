package instances

import (
	"context"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/informer"
)

// Name of the controller.
const Name = "instances"

// Indexes that its store needs.
var Indexes = []informer.Label{{Kind: candor.KindInstances, Key: candor.LabelNode}}

// workers is how many instances are in work at once: nearly all of them wait for their
// one write, which the root takes together with the others'.
const workers = 64

// Settings are what a Controller needs; all are required.
type Settings struct {
	// Store is the one that its runtime reads.
	Store *informer.Store
	// Now is the cluster time in nanoseconds.
	Now func() int64
}

// Controller is the instance lifecycle controller. It panics without its settings.
func Controller(s Settings) controller.Controller {
	if s.Store == nil || s.Now == nil {
		panic("instances: a store and a clock are required")
	}
	return controller.Controller{
		Declaration: controller.Declaration{
			Name: Name, Workers: workers,
			Inputs: []controller.Input{
				{Kind: candor.KindInstances},
				{Kind: candor.KindNodes, Map: func(c informer.Change) []candor.Ref {
					if sameWord(c) {
						return nil
					}
					return placed(s.Store.Read(), c.Ref.Name)
				}},
			},
			Outputs: []controller.Output{
				{Kind: candor.KindInstances, Section: controller.SectionStatus, Shared: true},
				{Kind: candor.KindInstances, Section: controller.SectionLife, Shared: true},
			},
		},
		Make: func(w controller.Writer) controller.Reconciler { return &reconciler{settings: s, writer: w} },
	}
}

type reconciler struct {
	settings Settings
	writer   controller.Writer
}

// Reconcile does what is to be done about one instance.
func (r *reconciler) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	view, err := Look(request.View, request.Ref)
	if view == nil || err != nil {
		return controller.Done(), err
	}
	view.Now = r.settings.Now()
	if write, _ := Decide(view); write != nil {
		if _, err := r.writer.Write(ctx, *write); err != nil {
			return controller.Done(), candor.Wrap("reconcile "+request.Ref.String(), err)
		}
	}
	return controller.Done(), nil
}

// Look gathers what a decision about one instance needs, apart from Now; nil where there
// is no such instance.
func Look(reader *informer.Reader, ref candor.Ref) (*View, error) {
	item := reader.Get(ref)
	if item == nil {
		return nil, nil
	}
	i, err := kinds.ReadInstance(item)
	if err != nil {
		return nil, err
	}
	view := &View{Instance: i, Token: reader.Token()}
	if node := reader.Get(candor.Ref{Kind: candor.KindNodes, Name: i.Status.Node}); i.Placed() && node != nil {
		view.Node, err = kinds.ReadNode(node)
	}
	return view, err
}

// sameWord says whether a change of a node leaves whether it is heard of as it was.
func sameWord(c informer.Change) bool {
	if c.Before == nil || c.After == nil || c.Before.Metadata.UID != c.After.Metadata.UID {
		return false
	}
	before, err := informer.Status[candor.NodeStatus](c.Before)
	if err != nil {
		return false
	}
	after, err := informer.Status[candor.NodeStatus](c.After)
	return err == nil && before.Conditions.True(candor.ConditionReady) == after.Conditions.True(candor.ConditionReady)
}

func placed(reader *informer.Reader, node string) []candor.Ref {
	var all []candor.Ref
	for item := range reader.Labelled(candor.KindInstances, candor.LabelNode, node) {
		all = append(all, item.Ref())
	}
	return all
}
