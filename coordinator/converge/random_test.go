package converge

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/coordinator/workloads"
	"github.com/candor-plane/candor/informer"
)

// TestControllersConvergeFromAnyState lets clients, workers, crashes, views of the past
// and time do what they like, with the controllers run in any order; then it lets the
// world calm down, and everything is as wanted, and nobody has anything left to do.
func TestControllersConvergeFromAnyState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		w.judge = func(before map[candor.Ref]*candor.Object, write controller.Write) { w.keeps(t, before, write, true) }
		for _, name := range []string{"w1", "w2", "w3"} {
			w.addNode(name)
		}
		w.addWorkload("web", randomSpec(t))
		w.addWorkload("api", randomSpec(t))
		if rapid.Bool().Draw(t, "begin settled") {
			w.settle()
		}
		past := []*informer.Reader{w.store.Read()}
		for step := range rapid.IntRange(10, 120).Draw(t, "steps") {
			w.anything(t, past)
			if step%3 == 0 {
				past = append(past[max(0, len(past)-4):], w.store.Read())
			}
		}
		w.calm(t)
		w.isAsWanted(t)
	})
}

func randomSpec(t *rapid.T) candor.WorkloadSpec {
	spec := candor.WorkloadSpec{
		Replicas: rapid.Int32Range(0, 7).Draw(t, "replicas"),
		Template: candor.InstanceTemplate{Command: []string{"run"}},
	}
	restrategy(t, &spec)
	return spec
}

func restrategy(t *rapid.T, spec *candor.WorkloadSpec) {
	spec.Update.DeadlineSeconds = 60
	spec.Update.MinReadySeconds = rapid.SampledFrom([]int32{0, 0, 7}).Draw(t, "ready")
	spec.Update.Rollback = rapid.Bool().Draw(t, "rollback")
	spec.Update.MaxUnavailable = randomShare(t, "unavailable")
	spec.Update.MaxSurge = randomShare(t, "surge")
}

func randomShare(t *rapid.T, what string) *candor.Share {
	return rapid.SampledFrom([]*candor.Share{nil, {Count: 0}, {Count: 1}, {Count: 3}, {Count: 50, Percent: true}}).Draw(t, what)
}

// anything is one thing that may happen.
func (w *world) anything(t *rapid.T, past []*informer.Reader) {
	node := candor.Ref{Kind: candor.KindNodes, Name: rapid.SampledFrom([]string{"w1", "w2", "w3"}).Draw(t, "node")}
	work := candor.Ref{Kind: candor.KindWorkloads, Namespace: "default", Name: rapid.SampledFrom([]string{"web", "api"}).Draw(t, "workload")}
	kind := rapid.IntRange(0, 30).Draw(t, "what")
	switch {
	case kind < 13:
		w.runAny(t, past)
		return
	case kind < 17:
		for n := rapid.IntRange(1, 9).Draw(t, "placed"); n > 0 && w.place(); n-- {
		}
		return
	case kind < 20:
		for n := rapid.IntRange(1, 20).Draw(t, "worked"); n > 0 && w.work(); n-- {
		}
		return
	case kind == 20:
		w.settle()
		return
	case kind < 24:
		w.advance(time.Duration(rapid.Int64Range(1, 25).Draw(t, "seconds")) * time.Second)
		return
	case kind == 24:
		w.budgeted(t)
		return
	}
	if w.objects[work] != nil && kind < 27 {
		w.intend(t, work)
		return
	}
	if kind < 27 {
		w.addWorkload(work.Name, randomSpec(t))
		return
	}
	if w.objects[node] == nil {
		w.addNode(node.Name)
		return
	}
	switch rapid.IntRange(0, 8).Draw(t, "fault") {
	case 0:
		w.dead[node.Name] = true
	case 1:
		delete(w.dead, node.Name)
	case 2:
		w.must(controller.Delete{Ref: node})
	case 3:
		w.renode(node, func(s *candor.NodeSpec) { s.Drain = !s.Drain })
	case 4:
		w.renode(node, func(s *candor.NodeSpec) { s.Taints = []candor.Taint{{Key: "bad", Effect: candor.NoExecute}} })
	case 5:
		w.renode(node, func(s *candor.NodeSpec) { s.Taints = nil })
	case 6:
		w.rule(rapid.SampledFrom([]string{candor.ActionEvict, candor.ActionCordon, candor.ActionNone}).Draw(t, "action"))
	case 7:
		w.renode(node, func(s *candor.NodeSpec) { s.Unschedulable = !s.Unschedulable })
	default:
		w.loseOne(t)
	}
}

// runAny runs some controller for some key, on the present or a past view, and has it
// crash, or not; and then again.
func (w *world) runAny(t *rapid.T, past []*informer.Reader) {
	all := w.controllers()
	c := all[rapid.IntRange(0, len(all)-1).Draw(t, "controller")]
	refs := w.refs(c.Inputs[0].Kind)
	if len(refs) == 0 {
		return
	}
	ref := refs[rapid.IntRange(0, len(refs)-1).Draw(t, "key")]
	writes := rapid.SampledFrom([]int{-1, -1, 0, 1, 2}).Draw(t, "writes")
	view, fresh := w.store.Read(), true
	if rapid.IntRange(0, 3).Draw(t, "stale") == 0 {
		view, fresh = past[rapid.IntRange(0, len(past)-1).Draw(t, "view")], false
	}
	for range rapid.IntRange(1, 2).Draw(t, "times") {
		_, _, err := w.run(c, ref, view, writes, func(before map[candor.Ref]*candor.Object, write controller.Write) { w.keeps(t, before, write, fresh) })
		switch candor.ReasonOf(err) {
		case "", candor.ReasonShuttingDown:
		case candor.ReasonConflict, candor.ReasonNotFound, candor.ReasonAlreadyExists, candor.ReasonOwnerInvalid:
			if fresh {
				t.Fatalf("%s of %s on the newest view: %v", c.Name, ref, err)
			}
		default:
			t.Fatalf("%s of %s: %v", c.Name, ref, err)
		}
		if fresh {
			view = w.store.Read()
		}
	}
}

// intend is a client's change of a workload.
func (w *world) intend(t *rapid.T, work candor.Ref) {
	switch rapid.IntRange(0, 6).Draw(t, "intent") {
	case 0:
		w.respec(work, func(s *candor.WorkloadSpec) { s.Replicas = rapid.Int32Range(0, 7).Draw(t, "replicas") })
	case 1, 2:
		w.respec(work, func(s *candor.WorkloadSpec) {
			s.Template.Command = []string{"run", fmt.Sprint(rapid.IntRange(1, 3).Draw(t, "version"))}
			s.Template.Env = map[string]string{"MODE": rapid.SampledFrom([]string{"ok", "ok", "broken"}).Draw(t, "mode")}
		})
	case 3:
		w.respec(work, func(s *candor.WorkloadSpec) { s.Paused = !s.Paused })
	case 4:
		w.respec(work, func(s *candor.WorkloadSpec) { restrategy(t, s) })
	case 5:
		w.orphan(t, work)
	default:
		w.must(controller.Delete{Ref: work})
	}
}

// orphan makes an instance that looks like the workload's: of its template or of another,
// with another controller or without.
func (w *world) orphan(t *rapid.T, work candor.Ref) {
	ref := candor.Ref{Kind: candor.KindInstances, Namespace: "default", Name: fmt.Sprintf("%s-%d", work.Name, rapid.IntRange(0, 9).Draw(t, "number"))}
	if w.objects[ref] != nil {
		return
	}
	template := w.workload(work).Spec.Template
	if rapid.Bool().Draw(t, "other template") {
		template.Command = []string{"other"}
	}
	o := &candor.Object{
		APIVersion: candor.APIVersion, Kind: "Instance", Spec: kinds.Encode(candor.InstanceSpec{InstanceTemplate: template}),
		Metadata: candor.Metadata{Namespace: "default", Name: ref.Name, Labels: map[string]string{
			candor.LabelWorkload: work.Name, candor.LabelRevision: workloads.Digest(&template),
		}},
	}
	other := candor.Ref{Kind: candor.KindWorkloads, Namespace: "default", Name: "api"}
	if owner := w.objects[other]; owner != nil && rapid.Bool().Draw(t, "foreign") {
		o.Metadata.Owners = []candor.OwnerReference{{Kind: "others.example", Name: "x", UID: "x", Controller: true}}
		w.foreign(ref, o)
		return
	}
	w.must(controller.Create{Kind: candor.KindInstances, Object: o})
}

// foreign makes an object whose controller is of a kind that this world does not hold.
func (w *world) foreign(ref candor.Ref, o *candor.Object) {
	owners := o.Metadata.Owners
	o.Metadata.Owners = nil
	w.must(controller.Create{Kind: ref.Kind, Object: o})
	w.edit(ref, func(o *candor.Object) { o.Metadata.Owners = owners })
}

func (w *world) loseOne(t *rapid.T) {
	if refs := w.refs(candor.KindInstances); len(refs) > 0 {
		w.must(controller.Delete{Ref: refs[rapid.IntRange(0, len(refs)-1).Draw(t, "instance")]})
	}
}

func (w *world) budgeted(t *rapid.T) {
	ref := candor.Ref{Kind: candor.KindDisruptionBudgets, Namespace: "default", Name: "web"}
	if w.objects[ref] != nil {
		w.must(controller.Delete{Ref: ref})
		return
	}
	w.addBudget("web", candor.DisruptionBudgetSpec{
		Instances: candor.LabelWorkload + "=web", MaxUnavailable: &candor.Share{Count: rapid.Int32Range(0, 2).Draw(t, "max")},
	})
}
