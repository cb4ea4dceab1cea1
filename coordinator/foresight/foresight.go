package foresight

import (
	"strconv"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/scheduler"
	"github.com/candor-plane/candor/coordinator/workloads"
	"github.com/candor-plane/candor/informer"
)

// mostSteps bounds the steps of one workload that a plan goes ahead.
const mostSteps = 200

// Foresight is a copy of the state in which a change is made to happen.
type Foresight struct {
	store   *informer.Store
	token   candor.Token
	now     int64
	changes []scheduler.Change
	plan    *candor.Plan
}

// New begins with a store that is as the state at the token, at that cluster time, and
// has [workloads.Indexes]. The store is the Foresight's from now on, and what it finds
// goes into the plan.
func New(store *informer.Store, token candor.Token, now int64, plan *candor.Plan) *Foresight {
	return &Foresight{store: store, token: token, now: now, plan: plan}
}

// Write has an object as it would be.
func (f *Foresight) Write(ref candor.Ref, o *candor.Object) error {
	if ref.Kind != candor.KindWorkloads {
		f.changes = append(f.changes, scheduler.Change{Ref: ref, Object: o})
	}
	return f.write(ref, o)
}

// Happen has the workload controller go on, for every workload, until it waits for
// instances to run, and then the scheduler find places on its model of the state.
func (f *Foresight) Happen(model *scheduler.Model) error {
	for item := range f.store.Read().List(candor.KindWorkloads, "") {
		if err := f.steps(item.Ref()); err != nil {
			return err
		}
	}
	planned, err := scheduler.Plan(model, f.changes)
	if err != nil {
		return err
	}
	foretold(f.plan, &planned)
	return nil
}

func (f *Foresight) write(ref candor.Ref, o *candor.Object) error {
	f.token.Revision++
	next := *o
	m := &next.Metadata
	m.ResourceVersion = f.token.Revision
	if have := f.store.Read().Get(ref); have != nil {
		m.UID, m.CreateRevision, m.Generation = have.Metadata.UID, have.Metadata.CreateRevision, have.Metadata.Generation+1
		next.Status, next.Observed = have.Status, have.Observed
	} else {
		m.UID, m.CreateRevision, m.Generation = "new-"+strconv.FormatUint(f.token.Revision, 10), f.token.Revision, 1
	}
	return f.store.Apply(f.token, []informer.Version{{Kind: ref.Kind, Object: &next}})
}

// steps has the workload controller go on until it waits for instances to run.
func (f *Foresight) steps(ref candor.Ref) error {
	for range mostSteps {
		look, err := workloads.Look(f.store.Read(), ref)
		if err != nil || look == nil {
			return err
		}
		look.Now = f.now
		look.Schedulable = func(*candor.InstanceTemplate) (bool, string) { return true, "" }
		write := workloads.Decide(look).Write
		if write == nil {
			return nil
		}
		for _, op := range write.Ops {
			if err := f.do(op, ref); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *Foresight) do(op controller.Op, because candor.Ref) error {
	target := op.Target()
	switch x := op.(type) {
	case controller.Create:
		f.plan.Creates = append(f.plan.Creates, candor.PlannedChange{Object: target, Because: because})
		f.changes = append(f.changes, scheduler.Change{Ref: target, Object: x.Object})
		return f.write(target, x.Object)
	case controller.Delete:
		f.plan.Deletes = append(f.plan.Deletes, candor.PlannedChange{Object: target, Because: because})
		f.changes = append(f.changes, scheduler.Change{Ref: target})
		return f.end(target)
	case controller.UpdateStatus:
		have := f.store.Read().Get(target)
		if have == nil {
			return nil
		}
		next := *have.Object
		next.Status = x.Status
		return f.put(target, &next)
	case controller.Update:
		return f.write(target, x.Object)
	default:
		return nil
	}
}

// end has an instance that has a place wait for its process, and any other go.
func (f *Foresight) end(ref candor.Ref) error {
	have := f.store.Read().Get(ref)
	if have == nil {
		return nil
	}
	next := *have.Object
	if len(next.Metadata.Finalizers) > 0 {
		next.Metadata.DeletionTime = time.Unix(0, f.now).UTC()
		return f.put(ref, &next)
	}
	f.token.Revision++
	return f.store.Apply(f.token, []informer.Version{{Kind: ref.Kind, Object: &next, Gone: true, Revision: f.token.Revision}})
}

func (f *Foresight) put(ref candor.Ref, o *candor.Object) error {
	f.token.Revision++
	o.Metadata.ResourceVersion = f.token.Revision
	return f.store.Apply(f.token, []informer.Version{{Kind: ref.Kind, Object: o}})
}
