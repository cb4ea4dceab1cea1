package budgets

import (
	"fmt"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/kinds"
)

// ReasonCount is that of the writes of Decide.
const ReasonCount = "BUDGET_COUNT"

// View is what a count is made of: a budget, and the instances and workloads of its
// namespace.
type View struct {
	Budget    *kinds.Budget
	Instances []*kinds.Instance
	// Workload is the one of that name; nil where there is none.
	Workload func(name string) *kinds.Workload
	Token    candor.Token
}

// Decide is the write that brings a budget's status up to date; nil where it is.
//
// Expected are the replicas of the workloads whose instances are selected, and one for
// each selected instance without one. Healthy are the selected that are ready and are not
// being ended. Percentages of either bound are rounded up.
func Decide(v *View) *controller.Write {
	b := v.Budget
	if b.Terminating() {
		return nil
	}
	status := candor.DisruptionBudgetStatus{ObservedGeneration: b.Meta().Generation, Disrupted: stillGoing(v)}
	because := b.Version()
	if sensible(b) {
		because = count(v, &status)
	}
	op, changed := b.Write(&status)
	if !changed {
		return nil
	}
	return &controller.Write{
		Ops: []controller.Op{op}, Reason: ReasonCount, Because: because, Read: v.Token,
		Message: fmt.Sprintf("%d of %d are healthy and %d are wanted: %d may be taken away", status.Healthy, status.Expected, status.Wanted, status.Allowed),
	}
}

// count fills in status, and says which version was the newest to count.
func count(v *View, status *candor.DisruptionBudgetStatus) *candor.VersionRef {
	because := v.Budget.Version()
	counted := map[string]bool{}
	var expected int64
	for _, i := range v.Instances {
		if !Selects(v.Budget, i) {
			continue
		}
		if i.Meta().ResourceVersion > because.Revision {
			because = i.Version()
		}
		if i.Ready() {
			status.Healthy++
		}
		owner := i.Controller()
		if owner == nil || owner.Kind != candor.KindWorkloads {
			expected += one(i.Live())
			continue
		}
		w := v.Workload(owner.Name)
		if w == nil || w.Meta().UID != owner.UID {
			expected += one(i.Live())
			continue
		}
		if counted[owner.UID] {
			continue
		}
		counted[owner.UID] = true
		expected += int64(max(0, w.Spec.Replicas))
		if w.Meta().ResourceVersion > because.Revision {
			because = w.Version()
		}
	}
	status.Expected = int32(min(expected, 1<<31-1))
	spec := v.Budget.Spec
	if spec.MinAvailable != nil {
		status.Wanted = spec.MinAvailable.Of(status.Expected, true)
	} else {
		status.Wanted = max(0, status.Expected-spec.MaxUnavailable.Of(status.Expected, true))
	}
	status.Allowed = max(0, status.Healthy-status.Wanted)
	return because
}

// sensible: it has a selector, and one bound.
func sensible(b *kinds.Budget) bool {
	_, err := candor.ParseSelector(b.Spec.Instances)
	return err == nil && (b.Spec.MinAvailable == nil) != (b.Spec.MaxUnavailable == nil)
}

// stillGoing are those that were taken and are not gone yet, in order.
func stillGoing(v *View) []string {
	going := map[string]bool{}
	for _, i := range v.Instances {
		if i.Terminating() {
			going[i.Meta().UID] = true
		}
	}
	var uids []string
	for _, uid := range v.Budget.Status.Disrupted {
		if going[uid] {
			uids = append(uids, uid)
		}
	}
	slices.Sort(uids)
	return uids
}

func one(is bool) int64 {
	if is {
		return 1
	}
	return 0
}
