package instances

import (
	"fmt"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/kinds"
)

// The reasons of writes.
const (
	ReasonRelease = "RELEASE"
	ReasonEnded   = "PROCESS_ENDED"
	ReasonLost    = "NODE_GONE"
	ReasonStatus  = "STATUS"
)

// View is what a decision about one instance is made of.
type View struct {
	Instance *kinds.Instance
	// Node is the node of the instance's place by name; nil where there is none.
	Node  *kinds.Node
	Token candor.Token
	Now   int64 // cluster time in nanoseconds
}

// Decide is the next write about an instance, and what was found; nil where nothing is
// to be done before something changes.
func Decide(v *View) (w *controller.Write, message string) {
	i := v.Instance
	if !i.Placed() && !i.Terminating() {
		return nil, "it has no place yet"
	}
	if i.Terminating() {
		if why, may := v.mayGo(); may {
			return v.release(why), why
		}
	}
	if i.Ended() || !i.Placed() {
		return nil, "it is " + string(i.Status.Phase)
	}
	next := *i.Status
	next.ObservedGeneration = i.Meta().Generation
	reason := ReasonStatus
	switch {
	case v.gone():
		next.Phase, reason = candor.InstanceLost, ReasonLost
	case exited(i) && !i.Terminating():
		next.Phase, reason = end(i), ReasonEnded
	}
	ready := v.ready()
	ready.Type, ready.ObservedGeneration, ready.LastTransitionTime = candor.ConditionReady, i.Meta().Generation, kinds.Time(v.Now)
	next.Conditions = next.Conditions.With(ready)
	op, changed := i.Write(&next)
	message = fmt.Sprintf("%s: %s", ready.Reason, ready.Message)
	if !changed {
		return nil, message
	}
	return &controller.Write{Ops: []controller.Op{op}, Reason: reason, Message: message, Because: v.because(), Read: v.Token}, message
}

// mayGo says whether nothing of a terminating instance is left to wait for.
func (v *View) mayGo() (why string, may bool) {
	i := v.Instance
	switch {
	case !slices.Contains(i.Object.Metadata.Finalizers, candor.FinalizerStop):
		return "it waits for other finalizers", false
	case !i.Placed():
		return "it was never placed", true
	case i.Ended():
		return "it is " + string(i.Status.Phase), true
	case v.gone():
		return fmt.Sprintf("its node %s is gone", i.Status.Node), true
	case exited(i):
		return "its process has ended", true
	default:
		return "its process has not ended", false
	}
}

// gone says whether the node that it was placed on does not exist any more.
func (v *View) gone() bool {
	return v.Node == nil || v.Node.Meta().UID != v.Instance.Status.NodeUID
}

func (v *View) release(why string) *controller.Write {
	i := v.Instance
	o := *i.Object
	o.Status, o.Observed, o.Cause = nil, nil, nil
	o.Metadata.Finalizers = slices.DeleteFunc(slices.Clone(o.Metadata.Finalizers), func(f string) bool { return f == candor.FinalizerStop })
	return &controller.Write{
		Ops:    []controller.Op{controller.Update{Kind: candor.KindInstances, Object: &o}},
		Reason: ReasonRelease, Message: fmt.Sprintf("instance %s is let go: %s", i.Ref.Name, why),
		Because: v.because(), Read: v.Token,
	}
}

// because is the node's version where that is the news, the instance's own otherwise.
func (v *View) because() *candor.VersionRef {
	i := v.Instance
	if v.Node != nil && !v.gone() && v.Node.Meta().ResourceVersion > i.Meta().ResourceVersion {
		return v.Node.Version()
	}
	return i.Version()
}
