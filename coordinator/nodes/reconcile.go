package nodes

import (
	"context"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/informer"
)

// Name of the controller.
const Name = "nodes"

// Indexes that its store needs.
var Indexes = []informer.Label{{Kind: candor.KindInstances, Key: candor.LabelNode}}

// gather is for how long changes of its instances are looked at together. workers is how
// many nodes are in work at once, most of which wait for their writes: of two that
// take from one budget the later one is refused, and looks again.
const (
	gather  = 100 * time.Millisecond
	workers = 16
)

// Leases are the heartbeats of nodes, as the root has them.
type Leases interface {
	// Beat is the cluster time of the newest heartbeat of a node by its uid, and for how
	// long it was promised to count; ok is false where there was none.
	Beat(nodeUID string) (at int64, promised time.Duration, ok bool)
}

// Settings are what a Controller needs; all are required.
type Settings struct {
	// Store is the one that its runtime reads.
	Store  *informer.Store
	Leases Leases
	// Now is the cluster time in nanoseconds, never behind a heartbeat that Leases shows.
	Now func() int64
}

// Controller is the node lifecycle controller. It panics without its settings.
func Controller(s Settings) controller.Controller {
	if s.Store == nil || s.Leases == nil || s.Now == nil {
		panic("nodes: a store, leases and a clock are required")
	}
	every := func(informer.Change) []candor.Ref {
		return refs(s.Store.Read(), func(*kinds.Node) bool { return true })
	}
	return controller.Controller{
		Declaration: controller.Declaration{
			Name: Name, Workers: workers,
			Inputs: []controller.Input{
				{Kind: candor.KindNodes, Priority: controller.Urgent},
				{Kind: candor.KindInstances, Map: nodesOf, Gather: gather},
				{Kind: candor.KindFailurePolicies, Map: every},
				{Kind: candor.KindDisruptionBudgets, Map: func(informer.Change) []candor.Ref { return refs(s.Store.Read(), emptied) }},
			},
			Outputs: []controller.Output{
				{Kind: candor.KindNodes, Section: controller.SectionSpec},
				{Kind: candor.KindNodes, Section: controller.SectionLife},
				{Kind: candor.KindNodes, Section: controller.SectionStatus},
				{Kind: candor.KindInstances, Section: controller.SectionStatus, Shared: true},
				{Kind: candor.KindInstances, Section: controller.SectionLife, Shared: true},
				{Kind: candor.KindDisruptionBudgets, Section: controller.SectionStatus, Shared: true},
			},
		},
		Make: func(w controller.Writer) controller.Reconciler { return &reconciler{settings: s, writer: w} },
	}
}

type reconciler struct {
	settings Settings
	writer   controller.Writer
}

// Reconcile does what is to be done about one node now.
func (r *reconciler) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	view, err := Look(request.View, request.Ref)
	if view == nil || err != nil {
		return controller.Done(), err
	}
	// The lease is read before the clock: silence is never counted from a later beat.
	view.Lease.BeatAt, view.Lease.Promised, view.Lease.Heard = r.settings.Leases.Beat(view.Node.Meta().UID)
	view.Now = r.settings.Now()
	plan := Decide(view)
	for i := range plan.Writes {
		if _, err := r.writer.Write(ctx, plan.Writes[i]); err != nil {
			return controller.Done(), candor.Wrap("reconcile "+request.Ref.String(), err)
		}
	}
	return kinds.Until(plan.Next, view.Now, plan.Message), nil
}

// Look gathers what a decision about one node needs, apart from Lease and Now; nil where
// there is no such node.
func Look(reader *informer.Reader, ref candor.Ref) (*View, error) {
	item := reader.Get(ref)
	if item == nil {
		return nil, nil
	}
	node, err := kinds.ReadNode(item)
	if err != nil {
		return nil, err
	}
	view := &View{Node: node, Token: reader.Token()}
	if view.Instances, err = kinds.Collect(reader.Labelled(candor.KindInstances, candor.LabelNode, ref.Name), "", kinds.ReadInstance); err != nil {
		return nil, err
	}
	if view.Policies, err = kinds.Collect(reader.List(candor.KindFailurePolicies, ""), "", kinds.ReadFailurePolicy); err != nil {
		return nil, err
	}
	namespaces := map[string]bool{}
	for _, i := range view.Instances {
		if namespaces[i.Ref.Namespace] || !emptied(node) {
			continue
		}
		namespaces[i.Ref.Namespace] = true
		budgets, err := kinds.Collect(reader.List(candor.KindDisruptionBudgets, i.Ref.Namespace), "", kinds.ReadBudget)
		if err != nil {
			return nil, err
		}
		view.Budgets = append(view.Budgets, budgets...)
	}
	return view, nil
}

// emptied says whether budgets matter to a node: something of it may be evicted.
func emptied(n *kinds.Node) bool {
	if n.Spec.Drain {
		return true
	}
	for _, taint := range n.Spec.Taints {
		if taint.Effect == candor.NoExecute {
			return true
		}
	}
	return false
}

// nodesOf names the nodes that an instance is or was on.
func nodesOf(c informer.Change) []candor.Ref {
	for _, item := range []*informer.Item{c.After, c.Before} {
		if item == nil {
			continue
		}
		if name := item.Metadata.Labels[candor.LabelNode]; name != "" {
			return []candor.Ref{{Kind: candor.KindNodes, Name: name}}
		}
	}
	return nil
}

func refs(reader *informer.Reader, wanted func(*kinds.Node) bool) []candor.Ref {
	var all []candor.Ref
	for item := range reader.List(candor.KindNodes, "") {
		if n, err := kinds.ReadNode(item); err == nil && wanted(n) {
			all = append(all, item.Ref())
		}
	}
	return all
}
