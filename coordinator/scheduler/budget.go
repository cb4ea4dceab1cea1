package scheduler

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/candor-plane/candor"
)

// budget is how many instances may still be taken away on purpose.
type budget struct {
	ref       candor.Ref
	uid       string
	revision  uint64
	selector  candor.Selector
	allowed   int32
	disrupted []string
	status    candor.DisruptionBudgetStatus // as it was read
}

// covers says whether the budget is about the instance and has not counted it yet.
func (b *budget) covers(i *instance) bool {
	return b.ref.Namespace == i.ref.Namespace && b.selector.Matches(i.labels) && !slices.Contains(b.disrupted, i.uid)
}

func (m *Model) applyBudget(ref candor.Ref, obj *candor.Object) (Helps, error) {
	if old := m.budgets[ref]; old != nil && old.revision > obj.Metadata.ResourceVersion {
		return 0, nil
	}
	var spec candor.DisruptionBudgetSpec
	var status candor.DisruptionBudgetStatus
	if err := json.Unmarshal(obj.Spec, &spec); err != nil {
		return 0, candor.Errorf(candor.ReasonInvalid, "%s: spec: %v", ref, err)
	}
	if len(obj.Status) > 0 {
		if err := json.Unmarshal(obj.Status, &status); err != nil {
			return 0, candor.Errorf(candor.ReasonInvalid, "%s: status: %v", ref, err)
		}
	}
	selector, err := candor.ParseSelector(spec.Instances)
	if err != nil {
		return 0, candor.Errorf(candor.ReasonInvalid, "%s: spec.instances: %v", ref, err)
	}
	if status.ObservedGeneration != obj.Metadata.Generation {
		status.Allowed = 0 // what the spec allows was not counted yet
	}
	m.budgets[ref] = &budget{
		ref: ref, uid: obj.Metadata.UID, revision: obj.Metadata.ResourceVersion, selector: selector,
		allowed: max(status.Allowed, 0), disrupted: status.Disrupted, status: status,
	}
	return HelpsBudgets, nil
}

// after is the status once the instances are taken away.
func (b *budget) after(uids []string) candor.DisruptionBudgetStatus {
	status := b.status
	status.Allowed = b.allowed - int32(len(uids))
	status.Disrupted = append(slices.Clone(b.disrupted), uids...)
	return status
}

// budgetsOf are all, in order of their keys.
func (m *Model) budgetsOf() []*budget {
	out := make([]*budget, 0, len(m.budgets))
	//candor:unordered sorted below
	for _, b := range m.budgets {
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b *budget) int {
		return cmp.Or(strings.Compare(a.ref.Namespace, b.ref.Namespace), strings.Compare(a.ref.Name, b.ref.Name))
	})
	return out
}
