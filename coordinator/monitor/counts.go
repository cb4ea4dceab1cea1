package monitor

import (
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/budgets"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/fsm/tenure"
)

// mostMatches bounds how often one look compares an instance with a budget's selector.
const mostMatches = 200_000

// counts recounts disruption budgets. Where that would be too much for one look, those of
// the namespaces first by name are recounted, and of the others nothing is said.
func (l *looking) counts() {
	in := map[string][]*kinds.Instance{}
	for _, i := range l.instances {
		in[i.Ref.Namespace] = append(in[i.Ref.Namespace], i)
	}
	matches := 0
	for item := range l.View.List(candor.KindDisruptionBudgets, "") {
		b, err := kinds.ReadBudget(item)
		if err != nil {
			continue // it is counted as unreadable
		}
		mine := in[b.Ref.Namespace]
		if matches += len(mine); matches > mostMatches {
			l.look.unjudged[BudgetCounts] = true
			return
		}
		l.recount(b, mine)
	}
}

func (l *looking) recount(b *kinds.Budget, mine []*kinds.Instance) {
	write := budgets.Decide(&budgets.View{
		Budget: b, Instances: mine, Token: l.View.Token(),
		Workload: func(name string) *kinds.Workload {
			item := l.View.Get(candor.Ref{Kind: candor.KindWorkloads, Namespace: b.Ref.Namespace, Name: name})
			if item == nil {
				return nil
			}
			w, err := kinds.ReadWorkload(item)
			if err != nil {
				return nil // it counts for nothing, as for the controller
			}
			return w
		},
	})
	if write == nil {
		return
	}
	owner, vacant := l.duty(tenure.DutyControllers)
	l.claim(Claim{
		// Each count that is written begins anew: it may be of an instant ago.
		Promise: BudgetCounts, Subject: b.Ref, Step: fmt.Sprintf("%s/%d", b.Meta().UID, b.Meta().ResourceVersion), Within: Reaction,
		Message: "its counts are not those of its instances",
		Cause:   sent(vacant, "counted now: "+write.Message), Owner: owner, Repair: remedy(tenure.DutyControllers, vacant, b.Ref),
	})
}
