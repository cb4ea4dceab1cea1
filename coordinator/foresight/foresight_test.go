package foresight

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/coordinator/scheduler"
	"github.com/candor-plane/candor/coordinator/workloads"
	"github.com/candor-plane/candor/informer"
)

var workKinds = []candor.KindName{
	candor.KindNodes, candor.KindWorkloads, candor.KindInstances, candor.KindDisruptionBudgets, candor.KindPriorityClasses,
}

func resources(t *testing.T, text string) (r candor.Resources) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func workloadRef(name string) candor.Ref {
	return candor.Ref{Kind: candor.KindWorkloads, Namespace: "default", Name: name}
}

func workload(t *testing.T, name string, replicas int32, needs string) *candor.Object {
	return &candor.Object{
		APIVersion: candor.APIVersion, Kind: "Workload", Metadata: candor.Metadata{Namespace: "default", Name: name, UID: "w", Generation: 1},
		Spec: kinds.Encode(candor.WorkloadSpec{Replicas: replicas, Template: candor.InstanceTemplate{Command: []string{"run"}, Resources: resources(t, needs)}}),
	}
}

func nodeObject(t *testing.T, name string, cordoned bool) *candor.Object {
	ready := candor.Conditions{{Type: candor.ConditionReady, Status: candor.ConditionTrue, Reason: candor.WhyHeartbeatFresh}}
	return &candor.Object{
		APIVersion: candor.APIVersion, Kind: "Node", Metadata: candor.Metadata{Name: name, UID: "node-" + name, ResourceVersion: 1, Generation: 1},
		Spec: kinds.Encode(candor.NodeSpec{Unschedulable: cordoned}), Status: kinds.Encode(candor.NodeStatus{Conditions: ready}),
		Observed: kinds.Encode(candor.NodeObserved{Capacity: resources(t, `{"cpu":"4","memory":"8Gi"}`), Session: "s"}),
	}
}

// ahead is what comes of objects that are written where two nodes of four cores stand.
func ahead(t *testing.T, written map[candor.Ref]*candor.Object, there ...*candor.Object) *candor.Plan {
	t.Helper()
	token := candor.Token{Term: 1, Index: 5, Revision: 5}
	store := informer.New(workKinds, workloads.Indexes...)
	model := scheduler.NewModel()
	of := map[candor.KindName][]*candor.Object{candor.KindNodes: {nodeObject(t, "m1", false), nodeObject(t, "m2", false)}}
	for _, o := range there {
		kind := candor.KindInstances
		if o.Kind == "Workload" {
			kind = candor.KindWorkloads
		}
		of[kind] = append(of[kind], o)
	}
	for _, kind := range workKinds {
		if err := store.Replace(kind, token, of[kind]); err != nil {
			t.Fatal(err)
		}
		for _, o := range of[kind] {
			if _, err := model.Apply(o, kind); err != nil {
				t.Fatal(err)
			}
		}
	}
	model.Advance(token)
	plan := &candor.Plan{Token: token}
	f := New(store, token, 1, plan)
	for ref, o := range written {
		if err := f.Write(ref, o); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Happen(model); err != nil {
		t.Fatal(err)
	}
	return plan
}

// told is a plan in one line.
func told(p *candor.Plan) string {
	var parts []string
	for _, c := range p.Creates {
		parts = append(parts, "+"+c.Object.Name)
	}
	for _, c := range p.Deletes {
		parts = append(parts, "-"+c.Object.Name)
	}
	for _, c := range p.Placements {
		parts = append(parts, c.Instance.Name+"@"+c.Node)
	}
	for _, c := range p.Moves {
		parts = append(parts, c.Instance.Name+" off "+c.From)
	}
	for _, c := range p.Unplaceable {
		parts = append(parts, c.Instance.Name+" waits")
	}
	return strings.Join(parts, " ")
}

// TestANewWorkloadsInstancesAreMadeAndPlaced, for its sake.
func TestANewWorkloadsInstancesAreMadeAndPlaced(t *testing.T) {
	p := ahead(t, map[candor.Ref]*candor.Object{workloadRef("web"): workload(t, "web", 2, `{"cpu":"3"}`)})
	if got := told(p); got != "+web-0 +web-1 web-0@m1 web-1@m2" && got != "+web-0 +web-1 web-0@m2 web-1@m1" {
		t.Errorf("%s", got)
	}
	if p.Creates[0].Because != workloadRef("web") {
		t.Errorf("because of %s", p.Creates[0].Because)
	}
}

// TestWhatFitsNowhereIsToldToWait, with the sentence that its status would have.
func TestWhatFitsNowhereIsToldToWait(t *testing.T) {
	p := ahead(t, map[candor.Ref]*candor.Object{workloadRef("web"): workload(t, "web", 3, `{"cpu":"3"}`)})
	if len(p.Placements) != 2 || len(p.Unplaceable) != 1 || p.Unplaceable[0].Explanation.Headline == "" {
		t.Errorf("%s: %+v", told(p), p.Unplaceable)
	}
}

// TestFewerReplicasEndInstances, and nothing is placed.
func TestFewerReplicasEndInstances(t *testing.T) {
	was := workload(t, "web", 2, `{"cpu":"1"}`)
	was.Metadata.ResourceVersion, was.Metadata.CreateRevision = 2, 2
	there := []*candor.Object{was}
	for n := range 2 {
		there = append(there, placed(t, was, n))
	}
	p := ahead(t, map[candor.Ref]*candor.Object{workloadRef("web"): workload(t, "web", 1, `{"cpu":"1"}`)}, there...)
	if len(p.Deletes) != 1 || len(p.Creates) != 0 || len(p.Placements) != 0 {
		t.Errorf("%s", told(p))
	}
}

// TestANodeThatIsCordonedTakesNothingNew.
func TestANodeThatIsCordonedTakesNothingNew(t *testing.T) {
	p := ahead(t, map[candor.Ref]*candor.Object{
		workloadRef("web"):                   workload(t, "web", 1, `{"cpu":"3"}`),
		{Kind: candor.KindNodes, Name: "m1"}: nodeObject(t, "m1", true),
	})
	if got := told(p); got != "+web-0 web-0@m2" {
		t.Errorf("%s", got)
	}
}

// placed is an instance of a workload that runs on m1.
func placed(t *testing.T, of *candor.Object, n int) *candor.Object {
	t.Helper()
	w, err := kinds.ReadWorkload(informer.NewItem(candor.KindWorkloads, of))
	if err != nil {
		t.Fatal(err)
	}
	return &candor.Object{
		APIVersion: candor.APIVersion, Kind: "Instance",
		Metadata: candor.Metadata{
			Namespace: "default", Name: fmt.Sprintf("web-%d", n), UID: fmt.Sprintf("i%d", n), ResourceVersion: 3, CreateRevision: uint64(3 + n), Generation: 1,
			Finalizers: []string{"candor/process"},
			Labels:     map[string]string{candor.LabelWorkload: "web", candor.LabelRevision: workloads.Digest(&w.Spec.Template)},
			Owners:     []candor.OwnerReference{{Kind: candor.KindWorkloads, Name: "web", UID: "w", Controller: true}},
		},
		Spec: kinds.Encode(candor.InstanceSpec{InstanceTemplate: w.Spec.Template}),
		Status: kinds.Encode(candor.InstanceStatus{
			Phase: candor.InstancePlaced, Node: "m1", NodeUID: "node-m1",
			Conditions: candor.Conditions{{Type: candor.ConditionReady, Status: candor.ConditionTrue, LastTransitionTime: kinds.Time(1)}},
		}),
	}
}
