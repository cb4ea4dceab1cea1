package nodes

import (
	"fmt"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/budgets"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/kinds"
)

// emptying is what a drain or a taint takes away now.
type emptying struct {
	writes []controller.Write
	// left are those that are to go and are there, held those of them that budgets hold,
	// and hold the first that does.
	left, held int
	hold       *budgets.Hold
}

// empty evicts what is not to stay, each instance in a write of its own that takes its
// share of the budgets. Of two that need one budget the second waits for the next look.
func empty(v *View, mine []*kinds.Instance) emptying {
	var out emptying
	var used []candor.Ref
	for _, i := range mine {
		reason, why := leaves(v, i)
		if reason == "" {
			continue
		}
		out.left++
		if i.Terminating() || len(out.writes) == page {
			continue
		}
		taking, hold := budgets.Take(i, v.Budgets)
		if hold != nil {
			out.held++
			if out.hold == nil {
				out.hold = hold
			}
			continue
		}
		if slices.ContainsFunc(taking.Budgets, func(b candor.Ref) bool { return slices.Contains(used, b) }) {
			continue
		}
		used = append(used, taking.Budgets...)
		out.writes = append(out.writes, controller.Write{
			Compares: append(taking.Compares, v.Node.Compare()), Ops: taking.Ops,
			Reason: reason, Message: fmt.Sprintf("instance %s leaves node %s: %s", i.Ref.Name, v.Node.Ref.Name, why),
			Because: v.Node.Version(), Read: v.Token,
		})
	}
	return out
}

// leaves says whether an instance is not to stay; the reason is empty where it is.
func leaves(v *View, i *kinds.Instance) (reason, why string) {
	if v.Node.Spec.Drain {
		return ReasonDrain, "the node is drained"
	}
	for _, taint := range v.Node.Spec.Taints {
		tolerates := func(t candor.Toleration) bool { return t.Tolerates(taint) }
		if taint.Effect == candor.NoExecute && !slices.ContainsFunc(i.Spec.Tolerations, tolerates) {
			return ReasonTaint, "it does not tolerate " + taint.String()
		}
	}
	return "", ""
}
