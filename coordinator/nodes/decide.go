package nodes

import (
	"fmt"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/kinds"
)

// Decide says what is to be done about a node now. Deciding again on what came of it,
// with nothing else changed, leads to an end at which nothing is to be done.
func Decide(v *View) Plan {
	mine := v.mine()
	h := listen(v)
	plan := Plan{Message: h.message, Next: h.next(v, len(mine) > 0)}
	if w := cordon(v, h); w != nil {
		plan.Writes, plan.Message = []controller.Write{*w}, w.Message
		return plan // the rest stands on the version that this makes
	}
	if h.lost(v.Now) && len(mine) > 0 {
		plan.Writes = append(plan.Writes, giveUp(v, h, mine[:min(page, len(mine))]))
		plan.Message = fmt.Sprintf("%s; %d instances are given up", h.message, len(mine))
	}
	var out emptying
	if !h.lost(v.Now) {
		out = empty(v, mine)
		plan.Writes = append(plan.Writes, out.writes...)
	}
	status, settles := statusOf(v, h, mine, out)
	if settles > 0 && (plan.Next == 0 || settles < plan.Next) {
		plan.Next = settles
	}
	if op, changed := v.Node.Write(&status); changed {
		plan.Writes = append(plan.Writes, controller.Write{
			Ops: []controller.Op{op}, Reason: ReasonStatus, Message: summary(v, &status, h, len(mine)),
			Because: because(v, &status, mine), Read: v.Token,
		})
	}
	return plan
}

// giveUp has the placements of a node that nobody hears of end as Lost. Budgets are not
// asked: whatever is there is gone already, as far as anybody can tell.
func giveUp(v *View, h heard, page []*kinds.Instance) controller.Write {
	w := controller.Write{
		Compares: []controller.Compare{{Ref: v.Node.Ref, UID: v.Node.Meta().UID}},
		Reason:   ReasonLost, Because: v.Node.Version(), Read: v.Token,
		Message: fmt.Sprintf("node %s: %s, and the time to wait for it is over", v.Node.Ref.Name, h.message),
	}
	for _, i := range page {
		next := *i.Status
		next.Phase = candor.InstanceLost
		next.Conditions = next.Conditions.With(candor.Condition{
			Type: candor.ConditionReady, Status: candor.ConditionUnknown, Reason: candor.WhyNodeUnreachable,
			Message:            fmt.Sprintf("nobody hears of node %s: its process may run or not", v.Node.Ref.Name),
			ObservedGeneration: i.Meta().Generation, LastTransitionTime: kinds.Time(v.Now),
		})
		if op, changed := i.Write(&next); changed {
			w.Ops = append(w.Ops, op)
		}
	}
	return w
}

// summary says in a sentence what a node's status comes to.
func summary(v *View, status *candor.NodeStatus, h heard, live int) string {
	what := h.message
	for _, kind := range []string{candor.ConditionCordoned, candor.ConditionDrained} {
		if c := status.Conditions.Get(kind); c != nil && h.fresh {
			what = c.Message
		}
	}
	return fmt.Sprintf("node %s is %s with %d instances: %s", v.Node.Ref.Name, status.Phase, live, what)
}

// because is the version that a node's status follows from: that of the instance that
// changed last where what it holds is another, else its own. Silence has no version.
func because(v *View, next *candor.NodeStatus, mine []*kinds.Instance) *candor.VersionRef {
	newest := v.Node.Version()
	was := v.Node.Status
	if was.Phase != next.Phase || was.Instances == next.Instances && slices.Equal(was.Held, next.Held) {
		return newest
	}
	for _, i := range mine {
		if i.Meta().ResourceVersion > newest.Revision {
			newest = i.Version()
		}
	}
	return newest
}
