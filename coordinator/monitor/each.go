package monitor

import (
	"fmt"
	"slices"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/informer"
)

// each judges instances one by one.
func (l *looking) each() {
	names := make(map[string]candor.Ref, len(l.instances))
	for _, i := range l.instances {
		uid := i.Meta().UID
		if other, twice := names[uid]; twice {
			l.misplaced(i, fmt.Sprintf("it and %s have one uid", other))
		}
		names[uid] = i.Ref
		l.place(i)
		l.nominated(i)
		if i.Terminating() {
			l.stops(i)
			continue
		}
		l.owners(i)
	}
}

// place: phase, node and label are of one place.
func (l *looking) place(i *kinds.Instance) {
	s := i.Status
	switch {
	case (s.Node == "") != (s.NodeUID == ""):
		l.misplaced(i, "its status names a node without its uid, or a uid without its node")
	case !i.Ended() && i.Placed() != (s.Phase == candor.InstancePlaced):
		l.misplaced(i, fmt.Sprintf("its phase is %q, which does not fit its place", s.Phase))
	}
	if label := i.Object.Metadata.Labels[candor.LabelNode]; label != s.Node {
		l.claim(Claim{
			Promise: LabelNamesNode, Subject: i.Ref, Step: i.Meta().UID,
			Message: fmt.Sprintf("its label %s says %q, its status %q", candor.LabelNode, label, s.Node),
			Owner:   "duty " + tenure.DutySchedule, Repair: history(i.Ref) + "; report it",
		})
	}
}

func (l *looking) misplaced(i *kinds.Instance, message string) {
	l.claim(Claim{
		Promise: OneLivePlacementPerInstance, Subject: i.Ref, Step: i.Meta().UID, Message: message,
		Owner: "duty " + tenure.DutySchedule, Repair: history(i.Ref) + "; report it",
	})
}

func (l *looking) nominated(i *kinds.Instance) {
	name := i.Status.Nominated
	if name == "" || i.Placed() || i.Ended() || l.nodes[name] != nil {
		return
	}
	owner, vacant := l.duty(tenure.DutySchedule)
	l.claim(Claim{
		Promise: NominatedNodeExists, Subject: i.Ref, Step: i.Meta().UID + "/" + name, Within: Collection,
		Message: fmt.Sprintf("node %s, which is to be made free for it, does not exist", name),
		Cause:   sent(vacant, "the scheduler has not decided again"), Owner: owner, Repair: remedy(tenure.DutySchedule, vacant, i.Ref),
	})
}

// owners are there; only those of kinds that the copy holds are looked for.
func (l *looking) owners(i *kinds.Instance) {
	for _, o := range i.Object.Metadata.Owners {
		if !l.View.Holds(o.Kind) {
			continue
		}
		if item := l.owner(i, o); item != nil && item.Metadata.UID == o.UID {
			continue
		}
		owner, vacant := l.duty(tenure.DutyJanitor)
		l.claim(Claim{
			Promise: OwnersExist, Subject: i.Ref, Step: i.Meta().UID + "/" + o.UID, Within: Collection,
			Message: fmt.Sprintf("its owner %s/%s is gone, and it is not", o.Kind.Plural(), o.Name),
			Cause:   sent(vacant, "its deletion has not come to it"), Owner: owner, Repair: remedy(tenure.DutyJanitor, vacant, i.Ref),
		})
	}
}

// owner is in the namespace of its dependent, or in none.
func (l *looking) owner(i *kinds.Instance, o candor.OwnerReference) *informer.Item {
	if item := l.View.Get(candor.Ref{Kind: o.Kind, Namespace: i.Ref.Namespace, Name: o.Name}); item != nil {
		return item
	}
	return l.View.Get(candor.Ref{Kind: o.Kind, Name: o.Name})
}

// stops: it was asked to end. What is on a node that nobody hears of is that node's
// affair, and other finalizers are their owners'.
func (l *looking) stops(i *kinds.Instance) {
	if !slices.Contains(i.Object.Metadata.Finalizers, candor.FinalizerStop) {
		return
	}
	owner, vacant := l.duty(tenure.DutyControllers)
	c := Claim{
		Promise: StopEnds, Subject: i.Ref, Step: i.Meta().UID, Within: Reaction, Owner: owner, Repair: remedy(tenure.DutyControllers, vacant, i.Ref),
		Message: "nothing of it is left to wait for, and it is not let go",
		Cause:   sent(vacant, "the instance controller has not taken its finalizer away"),
	}
	node := l.nodes[i.Status.Node]
	switch {
	case !i.Placed(), i.Ended(), node == nil, node.Meta().UID != i.Status.NodeUID, i.Observed != nil && i.Observed.State == candor.ProcessExited:
		c.Step += "/over"
	case !node.Status.Conditions.True(candor.ConditionReady):
		return
	default:
		c.Within = grace(i) + Reaction
		c.Message = fmt.Sprintf("it was asked to end and has not within %s", c.Within)
		c.Cause = "the worker of node " + i.Status.Node + " has said nothing of it"
		if i.Observed != nil {
			c.Cause = fmt.Sprintf("the worker of node %s says that its process is %s", i.Status.Node, i.Observed.State)
		}
		c.Owner, c.Repair = "the worker of node "+i.Status.Node, why(i.Ref)
	}
	l.claim(c)
}

func grace(i *kinds.Instance) time.Duration {
	if s := i.Spec.GraceSeconds; s != nil {
		return time.Duration(*s) * time.Second
	}
	return DefaultGrace
}
