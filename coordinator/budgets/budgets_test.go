package budgets

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/informer"
)

func instance(t *testing.T, n int, ready bool) *kinds.Instance {
	t.Helper()
	status := candor.InstanceStatus{Phase: candor.InstancePlaced, Node: "w1"}
	if ready {
		status.Conditions = candor.Conditions{{Type: candor.ConditionReady, Status: candor.ConditionTrue}}
	}
	i, err := kinds.ReadInstance(informer.NewItem(candor.KindInstances, &candor.Object{
		Metadata: candor.Metadata{
			Namespace: "default", Name: fmt.Sprintf("web-%d", n), UID: fmt.Sprintf("u%d", n), ResourceVersion: 3, Labels: map[string]string{"app": "web"},
			Owners: []candor.OwnerReference{{Kind: candor.KindWorkloads, Name: "web", UID: "w", Controller: true}},
		},
		Status: kinds.Encode(status),
	}))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func budget(t *testing.T, spec candor.DisruptionBudgetSpec, status candor.DisruptionBudgetStatus) *kinds.Budget {
	t.Helper()
	b, err := kinds.ReadBudget(informer.NewItem(candor.KindDisruptionBudgets, &candor.Object{
		Metadata: candor.Metadata{Namespace: "default", Name: "web", UID: "b", Generation: 1, ResourceVersion: 5},
		Spec:     kinds.Encode(spec), Status: kinds.Encode(status),
	}))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func counted(t *testing.T, b *kinds.Budget, replicas int32, instances ...*kinds.Instance) candor.DisruptionBudgetStatus {
	t.Helper()
	w, err := kinds.ReadWorkload(informer.NewItem(candor.KindWorkloads, &candor.Object{
		Metadata: candor.Metadata{Namespace: "default", Name: "web", UID: "w"}, Spec: kinds.Encode(candor.WorkloadSpec{Replicas: replicas}),
	}))
	if err != nil {
		t.Fatal(err)
	}
	write := Decide(&View{Budget: b, Instances: instances, Workload: func(string) *kinds.Workload { return w }})
	if write == nil {
		return *b.Status
	}
	var status candor.DisruptionBudgetStatus
	if err := json.Unmarshal(write.Ops[0].(controller.UpdateStatus).Status, &status); err != nil {
		t.Fatal(err)
	}
	return status
}

func TestWhatIsExpectedAreTheReplicasAndNotWhatIsLeft(t *testing.T) {
	one, percent := &candor.Share{Count: 1}, &candor.Share{Count: 25, Percent: true}
	two := []*kinds.Instance{instance(t, 0, true), instance(t, 1, true)}
	for _, c := range []struct {
		spec candor.DisruptionBudgetSpec
		want candor.DisruptionBudgetStatus
	}{
		{candor.DisruptionBudgetSpec{Instances: "app=web", MaxUnavailable: one}, candor.DisruptionBudgetStatus{Expected: 3, Healthy: 2, Wanted: 2, Allowed: 0}},
		{candor.DisruptionBudgetSpec{Instances: "app=web", MinAvailable: one}, candor.DisruptionBudgetStatus{Expected: 3, Healthy: 2, Wanted: 1, Allowed: 1}},
		{candor.DisruptionBudgetSpec{Instances: "app=web", MaxUnavailable: percent}, candor.DisruptionBudgetStatus{Expected: 3, Healthy: 2, Wanted: 2, Allowed: 0}},
		{candor.DisruptionBudgetSpec{Instances: "app=db", MinAvailable: one}, candor.DisruptionBudgetStatus{Wanted: 1}},
		{candor.DisruptionBudgetSpec{Instances: "((", MinAvailable: one}, candor.DisruptionBudgetStatus{}},
		{candor.DisruptionBudgetSpec{Instances: "app=web", MinAvailable: one, MaxUnavailable: one}, candor.DisruptionBudgetStatus{}},
	} {
		c.want.ObservedGeneration = 1
		if diff := cmp.Diff(c.want, counted(t, budget(t, c.spec, candor.DisruptionBudgetStatus{}), 3, two...)); diff != "" {
			t.Errorf("%+v: %s", c.spec, diff)
		}
	}
}

func TestTakingTakesFromEveryBudgetAsItWasRead(t *testing.T) {
	spec := candor.DisruptionBudgetSpec{Instances: "app=web", MaxUnavailable: &candor.Share{Count: 1}}
	taking, hold := Take(instance(t, 0, true), []*kinds.Budget{budget(t, spec, candor.DisruptionBudgetStatus{ObservedGeneration: 1, Expected: 3, Healthy: 3, Wanted: 2, Allowed: 1})})
	if hold != nil {
		t.Fatal(hold)
	}
	want := controller.UpdateStatus{
		Ref: candor.Ref{Kind: candor.KindDisruptionBudgets, Namespace: "default", Name: "web"}, UID: "b", ResourceVersion: 5,
		Status: kinds.Encode(candor.DisruptionBudgetStatus{ObservedGeneration: 1, Expected: 3, Healthy: 2, Wanted: 2, Disrupted: []string{"u0"}}),
	}
	if diff := cmp.Diff(controller.Op(want), taking.Ops[1]); diff != "" {
		t.Error(diff)
	}
	if del, ok := taking.Ops[0].(controller.Delete); !ok || del.UID != "u0" {
		t.Errorf("%+v", taking.Ops[0])
	}
}

func TestABudgetHolds(t *testing.T) {
	spec := candor.DisruptionBudgetSpec{Instances: "app=web", MaxUnavailable: &candor.Share{Count: 1}}
	used := candor.DisruptionBudgetStatus{ObservedGeneration: 1, Expected: 3, Healthy: 2, Wanted: 2}
	short := candor.DisruptionBudgetStatus{ObservedGeneration: 1, Expected: 3, Healthy: 1, Wanted: 2}
	for _, c := range []struct {
		why    string
		ready  bool
		budget *kinds.Budget
	}{
		{"2 of 3 are healthy", true, budget(t, spec, used)},
		{"1 of 3 are healthy", false, budget(t, spec, short)},
		{"not counted yet", true, budget(t, spec, candor.DisruptionBudgetStatus{Allowed: 1})},
		{"does not say", true, budget(t, candor.DisruptionBudgetSpec{Instances: "(("}, candor.DisruptionBudgetStatus{ObservedGeneration: 1, Allowed: 1})},
	} {
		if _, hold := Take(instance(t, 0, c.ready), []*kinds.Budget{c.budget}); hold == nil || !strings.Contains(hold.Why, c.why) {
			t.Errorf("%v, want %s", hold, c.why)
		}
	}
	taking, hold := Take(instance(t, 0, false), []*kinds.Budget{budget(t, spec, used)})
	if hold != nil || len(taking.Ops) != 1 || len(taking.Compares) != 1 {
		t.Errorf("one that is not ready, and the others are enough: %+v %v", taking, hold)
	}
}
