package server

import (
	"context"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/foresight"
	"github.com/candor-plane/candor/coordinator/workloads"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/informer"
	"github.com/candor-plane/candor/server/feed"
)

// Place adds what would come of the objects: the instances that the workload controller
// would make and end before any of them runs, and where the scheduler would put them.
func (e *scheduled) Place(_ context.Context, view *fsm.View, objects []*candor.Object, plan *candor.Plan) error {
	store, err := workIn(view)
	if err != nil {
		return err
	}
	f := foresight.New(store, view.Token(), view.ClusterTime(), plan)
	for _, o := range objects {
		ref, ok := e.refOf(o)
		if !ok || !slices.Contains(feed.WorkKinds(), ref.Kind) {
			continue
		}
		if err := f.Write(ref, o); err != nil {
			return err
		}
	}
	m, err := modelAt(view, view.Token())
	if err != nil {
		return err
	}
	return f.Happen(m)
}

func (e *scheduled) refOf(o *candor.Object) (candor.Ref, bool) {
	kind, err := e.s.kinds.ByType(o.APIVersion, o.Kind)
	if err != nil {
		return candor.Ref{}, false
	}
	return candor.Ref{Kind: kind.Name(), Namespace: o.Metadata.Namespace, Name: o.Metadata.Name}, true
}

// workIn is a copy of what controllers and the scheduler go by.
func workIn(view *fsm.View) (*informer.Store, error) {
	store := informer.New(feed.WorkKinds(), workloads.Indexes...)
	for _, kind := range feed.WorkKinds() {
		objects, err := listed(view, kind)
		if err != nil {
			return nil, err
		}
		if err := store.Replace(kind, view.Token(), objects); err != nil {
			return nil, err
		}
	}
	return store, nil
}
