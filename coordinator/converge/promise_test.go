package converge

import (
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/coordinator/policies"
	"github.com/candor-plane/candor/coordinator/workloads"
)

// keeps checks what is promised of each single write.
func (w *world) keeps(t *rapid.T, before map[candor.Ref]*candor.Object, write controller.Write, fresh bool) {
	for _, op := range write.Ops {
		ref := op.Target()
		switch op := op.(type) {
		case controller.UpdateStatus:
			if ref.Kind == candor.KindInstances {
				samePlace(t, before[ref], w.objects[ref])
			}
			if ref.Kind == candor.KindDisruptionBudgets && w.budget(ref).Status.Allowed < 0 {
				t.Fatalf("%s allows less than nothing", ref)
			}
			if ref.Kind == candor.KindWorkloads && len(write.Ops) > 1 {
				w.bounded(t, before, ref, fresh)
			}
		case controller.Delete:
			w.mayDelete(t, before, ref, write)
		case controller.Update:
			if ref.Kind == candor.KindNodes {
				w.mayClose(t, before[ref], fresh)
				continue
			}
			old := read(before[ref], candor.KindInstances, kinds.ReadInstance)
			if o := old.Controller(); o != nil && write.Reason == "ADOPT" {
				t.Fatalf("%s was adopted from %s", ref, o.Name)
			}
			node := w.objects[candor.Ref{Kind: candor.KindNodes, Name: old.Status.Node}]
			runs := node != nil && node.Metadata.UID == old.Status.NodeUID && (old.Observed == nil || old.Observed.State != candor.ProcessExited)
			if write.Reason == "RELEASE" && old.Holds() && runs && fresh {
				t.Fatalf("%s is let go while its process may run", ref)
			}
			if string(op.Object.Spec) != string(before[ref].Spec) {
				t.Fatalf("the spec of %s was changed", ref)
			}
		}
	}
}

// mayClose: a node is closed at most once in a silence, where its policy says so and it is
// due, and never opened.
func (w *world) mayClose(t *rapid.T, before *candor.Object, fresh bool) {
	ref := candor.Ref{Kind: candor.KindNodes, Name: before.Metadata.Name}
	was, is := read(before, ref.Kind, kinds.ReadNode), w.node(ref)
	if was.Spec.Unschedulable && !is.Spec.Unschedulable || was.Spec.Drain != is.Spec.Drain || len(was.Spec.Taints) != len(is.Spec.Taints) {
		t.Fatalf("the spec of %s went from %+v to %+v", ref, was.Spec, is.Spec)
	}
	if was.Spec.Unschedulable == is.Spec.Unschedulable {
		return
	}
	silence := is.Meta().UID + " " + policies.Cordoned(is.Meta())
	if w.closed[silence] {
		t.Fatalf("%s was closed a second time in one silence", ref)
	}
	w.closed[silence] = true
	policy := w.objects[candor.Ref{Kind: candor.KindFailurePolicies, Name: candor.DefaultFailurePolicy(candor.KindNodes)}]
	beat, heard := w.beats[is.Meta().UID]
	if fresh && (policy == nil || !strings.Contains(string(policy.Spec), candor.ActionCordon) || heard && w.now < beat+45*second) {
		t.Fatalf("%s was closed at %d, its last beat was at %d, under %+v", ref, w.now, beat, policy)
	}
}

// mayDelete: a workload ends its own instances alone.
func (w *world) mayDelete(t *rapid.T, before map[candor.Ref]*candor.Object, ref candor.Ref, write controller.Write) {
	for _, op := range write.Ops {
		if op.Target().Kind == candor.KindWorkloads && !owns(w.workload(op.Target()), before[ref]) {
			t.Fatalf("%s ends %s, which is not its own", op.Target(), ref)
		}
	}
}

func samePlace(t *rapid.T, before, after *candor.Object) {
	b, a := read(before, candor.KindInstances, kinds.ReadInstance).Status, read(after, candor.KindInstances, kinds.ReadInstance).Status
	if a.Node != b.Node || a.NodeUID != b.NodeUID || b.Phase.Ended() && a.Phase != b.Phase {
		t.Fatalf("instance %s went from %+v to %+v", before.Metadata.Name, b, a)
	}
}

// bounded: no more live than replicas and surge, where the write made any; and of those
// that were available none that was needed is ended.
func (w *world) bounded(t *rapid.T, before map[candor.Ref]*candor.Object, ref candor.Ref, fresh bool) {
	wl := w.workload(ref)
	if before[ref].Metadata.ResourceVersion == wl.Meta().ResourceVersion {
		t.Fatalf("%s is as it was after a step: the next does not stand on it", ref)
	}
	least, most := limits(wl.Spec)
	liveBefore, availableBefore := w.census(before, wl)
	live, available := w.census(w.objects, wl)
	if live > liveBefore && live > most && wl.Status.Steps > 0 && !adopted(before, w.objects, wl) {
		t.Fatalf("%s has %d live instances, %d before, at most %d are allowed", ref, live, liveBefore, most)
	}
	if fresh && available < availableBefore && available < least {
		t.Fatalf("%s has %d available, %d before, at least %d are to be", ref, available, availableBefore, least)
	}
}

// limits are what the update strategy says, worked out anew.
func limits(spec *candor.WorkloadSpec) (least, most int) {
	n := int(spec.Replicas)
	part := func(s *candor.Share, up int) int {
		switch {
		case s == nil:
			return (n*25 + up) / 100
		case s.Percent:
			return (n*int(s.Count) + up) / 100
		default:
			return int(s.Count)
		}
	}
	unavailable, surge := min(n, part(spec.Update.MaxUnavailable, 0)), part(spec.Update.MaxSurge, 99)
	if unavailable == 0 && surge == 0 {
		unavailable = 1
	}
	return n - unavailable, n + surge
}

func (w *world) census(objects map[candor.Ref]*candor.Object, wl *kinds.Workload) (live, available int) {
	for ref, o := range objects {
		if ref.Kind != candor.KindInstances || !owns(wl, o) {
			continue
		}
		i := read(o, candor.KindInstances, kinds.ReadInstance)
		if !i.Live() {
			continue
		}
		live++
		if c := i.Status.Conditions.Get(candor.ConditionReady); c != nil && c.Status == candor.ConditionTrue &&
			c.LastTransitionTime.UnixNano()+int64(wl.Spec.Update.MinReadySeconds)*second <= w.now {
			available++
		}
	}
	return live, available
}

func owns(wl *kinds.Workload, o *candor.Object) bool {
	for _, owner := range o.Metadata.Owners {
		if owner.UID == wl.Meta().UID {
			return true
		}
	}
	return false
}

func adopted(before, after map[candor.Ref]*candor.Object, wl *kinds.Workload) bool {
	for ref, o := range after {
		if was := before[ref]; ref.Kind == candor.KindInstances && was != nil && owns(wl, o) && !owns(wl, was) {
			return true
		}
	}
	return false
}

// calm ends what was done to the world, and gives everybody time: one worker stays dead,
// and is given up.
func (w *world) calm(t *rapid.T) {
	w.rule(candor.ActionEvict)
	for _, ref := range w.refs(candor.KindNodes) {
		w.renode(ref, func(s *candor.NodeSpec) { *s = candor.NodeSpec{} })
	}
	delete(w.dead, "w1")
	if first := (candor.Ref{Kind: candor.KindNodes, Name: "w1"}); w.objects[first] == nil {
		w.addNode("w1")
	}
	w.beat()
	for _, ref := range w.refs(candor.KindWorkloads) {
		w.respec(ref, func(s *candor.WorkloadSpec) { s.Paused = false })
	}
	for range 60 {
		w.settle()
		w.advance(10 * time.Second)
	}
	w.settle()
	w.log = nil
	for range 3 {
		w.settle()
		w.advance(10 * time.Second)
	}
	if len(w.log) > 0 {
		t.Fatalf("there was still something to do:\n%s", strings.Join(w.log, "\n"))
	}
}

// isAsWanted checks the calm world.
func (w *world) isAsWanted(t *rapid.T) {
	for _, ref := range w.refs(candor.KindWorkloads) {
		wl := w.workload(ref)
		live, available := w.census(w.objects, wl)
		_, most := limits(wl.Spec)
		if back := wl.Status.RolledBack; back != "" && back != workloads.Digest(&wl.Spec.Template) {
			t.Fatalf("%s went back from %s, which nobody wants any more:\n%s", ref, back, w.show())
		}
		broken := wl.Spec.Template.Env["MODE"] == "broken" && wl.Status.RolledBack == ""
		switch {
		case live > most:
			t.Fatalf("%s has %d live instances:\n%s", ref, live, w.show())
		case broken && wl.Spec.Replicas > 0:
			if wl.Status.Phase != "Stalled" {
				t.Fatalf("%s is %s and cannot get on:\n%s", ref, wl.Status.Phase, w.show())
			}
		case live != int(wl.Spec.Replicas) || available != live || int(wl.Status.Updated) != live || wl.Status.Available != wl.Spec.Replicas:
			t.Fatalf("%s wants %d, has %d, %d available:\n%s", ref, wl.Spec.Replicas, live, available, w.show())
		}
	}
	for _, ref := range w.refs(candor.KindInstances) {
		w.belongs(t, ref)
	}
}

// belongs: an instance is live, on a node that is, and owned by a workload that is.
func (w *world) belongs(t *rapid.T, ref candor.Ref) {
	i := w.instance(ref)
	if i.Terminating() {
		t.Fatalf("%s does not go:\n%s", ref, w.show())
	}
	owner := i.Controller()
	if owner == nil || owner.Kind != candor.KindWorkloads {
		return // somebody else's, or an orphan of no template of the workload
	}
	if i.Ended() {
		t.Fatalf("%s has ended and stays:\n%s", ref, w.show())
	}
	wl := w.objects[candor.Ref{Kind: candor.KindWorkloads, Namespace: ref.Namespace, Name: owner.Name}]
	if wl == nil || wl.Metadata.UID != owner.UID {
		t.Fatalf("%s is leaked: its workload is gone", ref)
	}
}
