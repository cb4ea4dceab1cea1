package workloads

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/informer"
)

// Name of the controller.
const Name = "workloads"

// Indexes that its store needs.
var Indexes = []informer.Label{{Kind: candor.KindInstances, Key: candor.LabelWorkload}}

// gather is for how long changes of its instances are looked at together: each look
// reads all of them, and may write a status. workers is how many workloads are in work
// at once, most of which wait for their writes.
const (
	gather  = 100 * time.Millisecond
	workers = 8
)

// Settings are what a Controller needs; all are required.
type Settings struct {
	// Store is the one that its runtime reads.
	Store *informer.Store
	// Now is the cluster time in nanoseconds.
	Now func() int64
	// Schedulable says whether some node of the view could take an instance of the
	// template, and in a sentence why, or why not.
	Schedulable func(view *informer.Reader, template *candor.InstanceTemplate) (ok bool, message string)
}

// Controller is the workload controller. It panics without its settings.
func Controller(s Settings) controller.Controller {
	if s.Store == nil || s.Now == nil || s.Schedulable == nil {
		panic("workloads: a store, a clock and Schedulable are required")
	}
	every := func(informer.Change) []candor.Ref { return refs(s.Store.Read()) }
	return controller.Controller{
		Declaration: controller.Declaration{
			Name: Name, Workers: workers,
			Inputs: []controller.Input{
				{Kind: candor.KindWorkloads},
				{Kind: candor.KindInstances, Map: workloadOf, Gather: gather},
				{Kind: candor.KindPriorityClasses, Map: every, Priority: controller.Background},
				{Kind: candor.KindNodes, Priority: controller.Background, Map: func(c informer.Change) []candor.Ref {
					if sameNode(c) {
						return nil
					}
					return every(c)
				}},
			},
			Outputs: []controller.Output{
				{Kind: candor.KindWorkloads, Section: controller.SectionStatus},
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

// Reconcile does the next step for one workload.
func (r *reconciler) Reconcile(ctx context.Context, request controller.Request) (controller.Result, error) {
	view, err := Look(request.View, request.Ref)
	if view == nil || err != nil {
		return controller.Done(), err
	}
	view.Now = r.settings.Now()
	view.Schedulable = func(t *candor.InstanceTemplate) (bool, string) { return r.settings.Schedulable(request.View, t) }
	plan := Decide(view)
	if plan.Write != nil {
		_, err := r.writer.Write(ctx, *plan.Write)
		if candor.ReasonOf(err) == candor.ReasonNamespaceTerminating {
			return controller.Blocked(candor.Ref{Kind: candor.KindNamespaces, Name: request.Ref.Namespace}, "the namespace is being deleted"), nil
		}
		if err != nil {
			return controller.Done(), candor.Wrap("reconcile "+request.Ref.String(), err)
		}
	}
	return kinds.Until(plan.Next, view.Now, plan.Message), nil
}

// Look gathers what a decision about one workload needs, apart from Now and Schedulable;
// nil where there is no such workload.
func Look(reader *informer.Reader, ref candor.Ref) (*View, error) {
	item := reader.Get(ref)
	if item == nil {
		return nil, nil
	}
	w, err := kinds.ReadWorkload(item)
	if err != nil {
		return nil, err
	}
	instances, err := kinds.Collect(reader.Labelled(candor.KindInstances, candor.LabelWorkload, ref.Name), ref.Namespace, kinds.ReadInstance)
	if err != nil {
		return nil, err
	}
	for item := range reader.Owned(w.Meta().UID) {
		if item.KindName() != candor.KindInstances || item.Metadata.Labels[candor.LabelWorkload] == ref.Name {
			continue
		}
		i, err := kinds.ReadInstance(item)
		if err != nil {
			return nil, err
		}
		instances = append(instances, i)
	}
	slices.SortFunc(instances, func(a, b *kinds.Instance) int { return strings.Compare(a.Ref.Name, b.Ref.Name) })
	classes, err := kinds.Collect(reader.List(candor.KindPriorityClasses, ""), "", kinds.ReadPriorityClass)
	if err != nil {
		return nil, err
	}
	return &View{
		Workload: w, Instances: instances, Classes: classes, Token: reader.Token(),
		Exists: func(name string) bool {
			return reader.Get(candor.Ref{Kind: candor.KindInstances, Namespace: ref.Namespace, Name: name}) != nil
		},
	}, nil
}

// workloadOf names the workloads that an instance is or was of.
func workloadOf(c informer.Change) []candor.Ref {
	var found []candor.Ref
	add := func(name string) {
		ref := candor.Ref{Kind: candor.KindWorkloads, Namespace: c.Ref.Namespace, Name: name}
		if name != "" && !slices.Contains(found, ref) {
			found = append(found, ref)
		}
	}
	for _, item := range []*informer.Item{c.Before, c.After} {
		if item == nil {
			continue
		}
		m := item.Metadata
		add(m.Labels[candor.LabelWorkload])
		for _, o := range m.Owners {
			if o.Controller && o.Kind == candor.KindWorkloads {
				add(o.Name)
			}
		}
	}
	return found
}

func refs(reader *informer.Reader) []candor.Ref {
	var all []candor.Ref
	for item := range reader.List(candor.KindWorkloads, "") {
		all = append(all, item.Ref())
	}
	return all
}
