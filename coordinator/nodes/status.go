package nodes

import (
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/coordinator/policies"
)

// settle is for how long after a placement the counts of a node wait for more of them:
// each write of counts is a version of the node.
const settle = int64(1e9)

// statusOf is a node's status by what is known now. Counts that grew just now are left
// as they were until settles.
func statusOf(v *View, h heard, mine []*kinds.Instance, out emptying) (status candor.NodeStatus, settles int64) {
	status = *v.Node.Status
	status.ObservedGeneration = v.Node.Meta().Generation
	set := func(kind string, is bool, reason, message string) {
		c := candor.Condition{Type: kind, Status: candor.ConditionFalse, Reason: reason, Message: message}
		if is {
			c.Status = candor.ConditionTrue
		}
		c.ObservedGeneration, c.LastTransitionTime = status.ObservedGeneration, kinds.Time(v.Now)
		status.Conditions = status.Conditions.With(c)
	}
	set(candor.ConditionReady, h.fresh, h.reason, h.message)
	held := hold(mine)
	if v.Node.Observed != nil {
		if name, over := held.Exceeds(v.Node.Observed.Capacity); over {
			set(candor.ConditionOvercommitted, true, candor.WhyCapacityShrank, fmt.Sprintf("its instances hold %s of %s, and it has %s", candor.FormatAmount(name, held.Get(name)), name, candor.FormatAmount(name, v.Node.Observed.Capacity.Get(name))))
		} else {
			set(candor.ConditionOvercommitted, false, candor.WhyWithinCapacity, "its instances hold no more than it has")
		}
	}
	cordoned(v, h, &status, set)
	drained(v, &status, len(mine), out, set)
	status.Phase = phase(v, h, len(mine))
	if len(mine) > status.Instances {
		if settles = newestPlacement(mine) + settle; settles > v.Now {
			return status, settles
		}
	}
	status.Instances, status.Held = len(mine), held
	return status, 0
}

// cordoned tells of a node that its policy closed, also once it is heard of again: until
// somebody opens it.
func cordoned(v *View, h heard, status *candor.NodeStatus, set func(kind string, is bool, reason, message string)) {
	since := policies.Cordoned(v.Node.Meta())
	opens := "candor node uncordon " + v.Node.Ref.Name
	switch {
	case since == "" || !v.Node.Spec.Unschedulable:
		status.Conditions = status.Conditions.Without(candor.ConditionCordoned)
	case h.fresh:
		set(candor.ConditionCordoned, true, candor.WhyHeardAgain, fmt.Sprintf("its worker is heard of again; for its silence after %s it takes nothing new until %s", since, opens))
	default:
		set(candor.ConditionCordoned, true, candor.WhySilentTooLong, fmt.Sprintf("for its silence after %s it takes nothing new until %s", since, opens))
	}
}

func drained(v *View, status *candor.NodeStatus, left int, out emptying, set func(kind string, is bool, reason, message string)) {
	switch {
	case !v.Node.Spec.Drain:
		status.Conditions = status.Conditions.Without(candor.ConditionDrained)
	case left == 0:
		set(candor.ConditionDrained, true, candor.WhyNothingLeft, "no instance is left")
	case out.hold != nil:
		set(candor.ConditionDrained, false, candor.WhyBudgetsHold, fmt.Sprintf("%d of %d are held, first by %s", out.held, out.left, out.hold))
	default:
		set(candor.ConditionDrained, false, candor.WhyEvicting, fmt.Sprintf("%d are left", left))
	}
}

func phase(v *View, h heard, left int) string {
	switch {
	case !h.fresh:
		return "NotReady"
	case v.Node.Spec.Drain && left == 0:
		return "Drained"
	case v.Node.Spec.Drain:
		return "Draining"
	default:
		return "Ready"
	}
}

// hold is what the instances hold together; what would overflow is left out, and the
// turn that places refuses it before.
func hold(mine []*kinds.Instance) candor.Resources {
	var sum candor.Resources
	for _, i := range mine {
		if next, ok := sum.Plus(i.Spec.Resources); ok {
			sum = next
		}
	}
	return sum
}

func newestPlacement(mine []*kinds.Instance) int64 {
	newest := -settle
	for _, i := range mine {
		if c := i.Status.Conditions.Get(candor.ConditionScheduled); c != nil && !c.LastTransitionTime.IsZero() {
			newest = max(newest, c.LastTransitionTime.UnixNano())
		}
	}
	return newest
}
