package converge

import (
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/informer"
)

func (w *world) instance(ref candor.Ref) *kinds.Instance {
	return read(w.objects[ref], candor.KindInstances, kinds.ReadInstance)
}

func (w *world) node(ref candor.Ref) *kinds.Node {
	return read(w.objects[ref], candor.KindNodes, kinds.ReadNode)
}

func (w *world) workload(ref candor.Ref) *kinds.Workload {
	return read(w.objects[ref], candor.KindWorkloads, kinds.ReadWorkload)
}

func (w *world) budget(ref candor.Ref) *kinds.Budget {
	return read(w.objects[ref], candor.KindDisruptionBudgets, kinds.ReadBudget)
}

func read[T any](o *candor.Object, kind candor.KindName, decode func(*informer.Item) (*T, error)) *T {
	t, err := decode(informer.NewItem(kind, o))
	if err != nil {
		panic(err)
	}
	return t
}

// place gives one instance that waits a place on the node that holds the fewest; it says
// whether there was one.
func (w *world) place() bool {
	for _, ref := range w.refs(candor.KindInstances) {
		i := w.instance(ref)
		if i.Placed() || i.Terminating() || i.Ended() {
			continue
		}
		if node := w.fit(i); node != nil {
			w.edit(ref, func(o *candor.Object) {
				status := *i.Status
				status.Phase, status.Node, status.NodeUID = candor.InstancePlaced, node.Ref.Name, node.Meta().UID
				status.Conditions = status.Conditions.With(candor.Condition{
					Type: candor.ConditionScheduled, Status: candor.ConditionTrue, Reason: candor.WhyPlaced, LastTransitionTime: kinds.Time(w.now),
				})
				o.Status = kinds.Encode(status)
				o.Metadata.Labels[candor.LabelNode] = node.Ref.Name
				o.Metadata.Finalizers = append(slices.Clone(o.Metadata.Finalizers), candor.FinalizerStop)
			})
			return true
		}
	}
	return false
}

func (w *world) fit(i *kinds.Instance) *kinds.Node {
	held := map[string]int{}
	for _, ref := range w.refs(candor.KindInstances) {
		if other := w.instance(ref); other.Holds() {
			held[other.Status.NodeUID]++
		}
	}
	var best *kinds.Node
	for _, ref := range w.refs(candor.KindNodes) {
		n := w.node(ref)
		tainted := slices.ContainsFunc(n.Spec.Taints, func(t candor.Taint) bool {
			return !slices.ContainsFunc(i.Spec.Tolerations, func(tol candor.Toleration) bool { return tol.Tolerates(t) })
		})
		if n.Spec.Drain || n.Spec.Unschedulable || tainted || !n.Status.Conditions.True(candor.ConditionReady) {
			continue
		}
		if best == nil || held[n.Meta().UID] < held[best.Meta().UID] {
			best = n
		}
	}
	return best
}

// work has one worker say one new thing of one instance; it says whether there was one.
// What the environment variable MODE says becomes of a process: it is never ready where
// that is "broken", and ends with code 0 where it is "done".
func (w *world) work() bool {
	for _, ref := range w.refs(candor.KindInstances) {
		i := w.instance(ref)
		if !i.Holds() || w.dead[i.Status.Node] {
			continue
		}
		node := w.objects[candor.Ref{Kind: candor.KindNodes, Name: i.Status.Node}]
		if node == nil || node.Metadata.UID != i.Status.NodeUID {
			continue
		}
		if next, news := w.news(i); news {
			w.edit(ref, func(o *candor.Object) { o.Observed = kinds.Encode(next) })
			return true
		}
	}
	return false
}

func (w *world) news(i *kinds.Instance) (candor.InstanceObserved, bool) {
	code := int32(0)
	switch o := i.Observed; {
	case o != nil && o.State == candor.ProcessExited:
		return candor.InstanceObserved{}, false
	case i.Terminating():
		return candor.InstanceObserved{State: candor.ProcessExited, ExitCode: &code}, true
	case o == nil:
		return candor.InstanceObserved{State: candor.ProcessStarting}, true
	case o.State == candor.ProcessStarting && i.Spec.Env["MODE"] == "done":
		return candor.InstanceObserved{State: candor.ProcessExited, ExitCode: &code}, true
	case o.State == candor.ProcessStarting:
		return candor.InstanceObserved{State: candor.ProcessRunning, Ready: i.Spec.Env["MODE"] != "broken"}, true
	default:
		return candor.InstanceObserved{}, false
	}
}

func (w *world) addNode(name string) {
	ref := candor.Ref{Kind: candor.KindNodes, Name: name}
	w.must(controller.Create{Kind: candor.KindNodes, Object: &candor.Object{APIVersion: candor.APIVersion, Kind: "Node", Metadata: candor.Metadata{Name: name}}})
	w.edit(ref, func(o *candor.Object) {
		o.Observed = kinds.Encode(candor.NodeObserved{Capacity: candor.Resources{{Name: candor.ResourceCPU, Value: 64000}}, Session: "s"})
	})
	if !w.dead[name] {
		w.beats[w.objects[ref].Metadata.UID] = w.now
	}
}

func (w *world) addWorkload(name string, spec candor.WorkloadSpec) {
	w.must(controller.Create{Kind: candor.KindWorkloads, Object: &candor.Object{
		APIVersion: candor.APIVersion, Kind: "Workload", Metadata: candor.Metadata{Namespace: "default", Name: name}, Spec: kinds.Encode(spec),
	}})
}

func (w *world) addBudget(name string, spec candor.DisruptionBudgetSpec) {
	w.must(controller.Create{Kind: candor.KindDisruptionBudgets, Object: &candor.Object{
		APIVersion: candor.APIVersion, Kind: "DisruptionBudget", Metadata: candor.Metadata{Namespace: "default", Name: name}, Spec: kinds.Encode(spec),
	}})
}

// rule has a policy of that action for every node, with the times that are built in.
func (w *world) rule(action string) {
	ref := candor.Ref{Kind: candor.KindFailurePolicies, Name: candor.DefaultFailurePolicy(candor.KindNodes)}
	spec := kinds.Encode(candor.FailurePolicySpec{Kind: candor.KindNodes, Modes: []candor.FailureMode{{
		Failure: candor.FailurePartition, Signal: candor.SignalHeartbeat, DetectWithin: candor.Duration(15 * second),
		Action: action, ActAfter: candor.Duration(30 * second), RecoverWithin: candor.Duration(120 * second),
	}}})
	if w.objects[ref] == nil {
		w.must(controller.Create{Kind: ref.Kind, Object: &candor.Object{APIVersion: candor.APIVersion, Kind: "FailurePolicy", Metadata: candor.Metadata{Name: ref.Name}, Spec: spec}})
		return
	}
	w.edit(ref, func(o *candor.Object) { o.Spec = spec })
}

func (w *world) respec(ref candor.Ref, change func(*candor.WorkloadSpec)) {
	spec := *w.workload(ref).Spec
	change(&spec)
	w.edit(ref, func(o *candor.Object) { o.Spec = kinds.Encode(spec) })
}

func (w *world) renode(ref candor.Ref, change func(*candor.NodeSpec)) {
	spec := *w.node(ref).Spec
	change(&spec)
	w.edit(ref, func(o *candor.Object) { o.Spec = kinds.Encode(spec) })
}
