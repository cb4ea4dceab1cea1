package worker

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/worker/shim"
)

// Reset has those end that the cluster does not know any more, or has elsewhere.
func (a *Agent) Reset(instances []*candor.Object) {
	present := map[string]bool{}
	for _, o := range instances {
		if a.ours(o) {
			present[o.Metadata.UID] = true
		}
		a.Changed(o)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for uid, k := range maps.All(a.keepers) {
		if !present[uid] {
			a.release(uid, k)
		}
	}
	a.listed = true
}

// Changed makes what runs of the instance what it is to be now. A panic about one
// instance is not the others': it is tried again.
func (a *Agent) Changed(o *candor.Object) {
	err := guarded(func() error {
		a.changed(o)
		return nil
	})
	if err == nil {
		return
	}
	a.log.Error("an instance cannot be looked after, and is tried again", "instance", o.Metadata.Namespace+"/"+o.Metadata.Name, "uid", o.Metadata.UID, "error", err)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tryAgain()
}

func (a *Agent) changed(o *candor.Object) {
	uid := o.Metadata.UID
	if !a.ours(o) {
		a.Gone(o)
		return
	}
	var observed candor.InstanceObserved
	if len(o.Observed) > 0 && json.Unmarshal(o.Observed, &observed) == nil {
		a.reporter.Known(uid, refOf(o), observed)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	stop := o.Terminating() || ended(o)
	if k := a.keepers[uid]; k != nil {
		if stop {
			k.stop()
		}
		return
	}
	order, err := a.order(o, ended(o) || observed.State == candor.ProcessExited)
	switch {
	case err == nil && order != nil:
		a.keep(a.dir(uid), order, stop)
	case err == nil: // it ran, its end is known, and its directory was removed since
	case candor.ReasonOf(err) == candor.ReasonInvalid:
		a.log.Error("an instance cannot be run", "instance", o.Metadata.Namespace+"/"+o.Metadata.Name, "uid", uid, "error", err)
		a.reporter.Report(uid, refOf(o), candor.InstanceObserved{State: candor.ProcessExited, Session: a.session.ID(), Message: err.Error()})
	default:
		a.log.Error("an instance cannot be kept track of, and is tried again", "instance", o.Metadata.Namespace+"/"+o.Metadata.Name, "uid", uid, "error", err)
		a.tryAgain()
	}
}

// tryAgain has everything be listed anew after a while. a.mu is held.
func (a *Agent) tryAgain() {
	if a.trying || a.closing {
		return
	}
	a.trying = true
	a.all.Go(func() {
		if !rest(a.ctx, a.config.retryAfter) {
			return
		}
		a.mu.Lock()
		a.trying = false
		a.mu.Unlock()
		a.listAgain()
	})
}

// order is what the instance's directory says is to run, or a new one; nil for one that
// is over and has no directory. In place of an order that cannot be read there is one of
// the run that the record is about.
func (a *Agent) order(o *candor.Object, over bool) (*shim.Order, error) {
	dir := a.dir(o.Metadata.UID)
	order, err := dir.Order()
	damaged := candor.ReasonOf(err) == candor.ReasonDataCorrupt
	switch {
	case err != nil && !damaged:
		return nil, err
	case order != nil && order.UID == o.Metadata.UID:
		return order, nil
	case over && !damaged:
		return nil, nil //nolint:nilnil // as it says
	}
	var spec candor.InstanceSpec
	if err := json.Unmarshal(o.Spec, &spec); err != nil {
		return nil, candor.Errorf(candor.ReasonInvalid, "its spec does not decode: %w", err)
	}
	order = &shim.Order{
		UID: o.Metadata.UID, Namespace: o.Metadata.Namespace, Name: o.Metadata.Name, Labels: o.Metadata.Labels, Run: 1, Template: spec.InstanceTemplate, PlacedAt: time.Now().UTC(),
	}
	if damaged {
		a.log.Error("the order of an instance cannot be read, and is written anew", "directory", string(dir), "error", err)
		if record, err := dir.Record(); err == nil && record != nil {
			order.Run = record.Run
		}
	}
	return order, dir.Give(order)
}

// Gone has the instance end.
func (a *Agent) Gone(o *candor.Object) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if k := a.keepers[o.Metadata.UID]; k != nil {
		a.release(o.Metadata.UID, k)
	}
}

// release ends what nobody wants to know of any more. a.mu is held.
func (a *Agent) release(uid string, k *keeper) {
	k.stop()
	k.released = true
	a.reporter.Forget(uid)
	if a.over[uid] {
		delete(a.keepers, uid)
		delete(a.over, uid)
	}
}

// ours says whether the instance is placed on this node: on the node of that UID, not
// on one of the same name before it.
func (a *Agent) ours(o *candor.Object) bool {
	status := statusOf(o)
	return status.Node == a.config.Name && status.NodeUID == a.session.UID(a.config.Name) && status.NodeUID != ""
}

// ended says that the cluster takes the instance for over: its process, if there is
// one, is nobody's.
func ended(o *candor.Object) bool { return statusOf(o).Phase.Ended() }

func statusOf(o *candor.Object) (status candor.InstanceStatus) {
	if len(o.Status) == 0 || json.Unmarshal(o.Status, &status) != nil {
		return candor.InstanceStatus{}
	}
	return status
}

func refOf(o *candor.Object) candor.Ref {
	return candor.Ref{Kind: candor.KindInstances, Namespace: o.Metadata.Namespace, Name: o.Metadata.Name}
}
