package scheduler

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/candor-plane/candor"
)

var epoch = time.Unix(1, 0).UTC()

// Objects as the root would hold them.

func mustJSON(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}

type nodeSetup struct {
	name     string
	labels   map[string]string
	capacity candor.Resources
	taints   []candor.Taint
	cordon   bool
	drain    bool
	unready  bool
}

func amounts(t testing.TB, text string) candor.Resources {
	t.Helper()
	var r candor.Resources
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func nodeObject(s nodeSetup, revision uint64) *candor.Object {
	ready := candor.Condition{Type: candor.ConditionReady, Status: candor.ConditionTrue, Reason: candor.WhyHeartbeatFresh}
	if s.unready {
		ready = candor.Condition{
			Type: candor.ConditionReady, Status: candor.ConditionFalse, Reason: candor.WhyHeartbeatMissed, Message: "heartbeat 34 s old (limit 15 s)",
		}
	}
	obj := &candor.Object{
		APIVersion: candor.APIVersion, Kind: "Node",
		Metadata: candor.Metadata{Name: s.name, UID: "node-" + s.name, ResourceVersion: revision, Labels: s.labels, Generation: 1},
		Spec:     mustJSON(candor.NodeSpec{Unschedulable: s.cordon, Drain: s.drain, Taints: s.taints}),
		Status:   mustJSON(candor.NodeStatus{Conditions: candor.Conditions{ready}}),
	}
	if s.capacity != nil {
		obj.Observed = mustJSON(candor.NodeObserved{Capacity: s.capacity, Session: "s"})
	}
	return obj
}

type instanceSetup struct {
	name      string
	spec      candor.InstanceSpec
	labels    map[string]string
	node      string
	nominated string
	created   uint64
	ending    bool
	ended     bool
}

func instanceRef(name string) candor.Ref {
	return candor.Ref{Kind: candor.KindInstances, Namespace: "default", Name: name}
}

func instanceObject(s instanceSetup, revision uint64) *candor.Object {
	status := candor.InstanceStatus{Phase: candor.InstancePending, Nominated: s.nominated}
	if s.node != "" {
		status.Phase, status.Node, status.NodeUID = candor.InstancePlaced, s.node, "node-"+s.node
	}
	if s.ended {
		status.Phase = candor.InstanceSucceeded
	}
	obj := &candor.Object{
		APIVersion: candor.APIVersion, Kind: "Instance",
		Metadata: candor.Metadata{
			Namespace: "default", Name: s.name, UID: "instance-" + s.name, ResourceVersion: revision, CreateRevision: s.created,
			Generation: 1, Labels: s.labels,
		},
		Spec: mustJSON(s.spec), Status: mustJSON(status),
	}
	if s.ending {
		obj.Metadata.DeletionTime = epoch
	}
	return obj
}

func budgetObject(name, selector string, allowed int32, revision uint64) *candor.Object {
	return &candor.Object{
		APIVersion: candor.APIVersion, Kind: "DisruptionBudget",
		Metadata: candor.Metadata{Namespace: "default", Name: name, UID: "budget-" + name, ResourceVersion: revision},
		Spec:     mustJSON(candor.DisruptionBudgetSpec{Instances: selector}),
		Status:   mustJSON(candor.DisruptionBudgetStatus{Allowed: allowed}),
	}
}

func mustApply(t testing.TB, m *Model, kind candor.KindName, obj *candor.Object) Event {
	t.Helper()
	e, err := m.Apply(obj, kind)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// fleet is count nodes over three zones.
func fleet(t testing.TB, count int) *Model {
	m := NewModel()
	m.Advance(candor.Token{Term: 1, Index: 10, Revision: 10})
	capacity := amounts(t, `{"cpu":"16","memory":"64Gi"}`)
	for i := range count {
		s := nodeSetup{
			name: fmt.Sprintf("n%04d", i), capacity: capacity,
			labels: map[string]string{candor.LabelZone: fmt.Sprintf("z%d", i%3), "disk": []string{"ssd", "hdd"}[i%2]},
		}
		if i%10 == 9 {
			s.taints = []candor.Taint{{Key: "gpu", Effect: candor.NoSchedule}}
		}
		mustApply(t, m, candor.KindNodes, nodeObject(s, 1))
	}
	return m
}

// kinds of templates, as a mixed cluster has them.
func mixed(t testing.TB, which int) candor.InstanceSpec {
	spec := candor.InstanceSpec{InstanceTemplate: candor.InstanceTemplate{Command: []string{"/bin/app"}, Resources: amounts(t, `{"cpu":"100m","memory":"128Mi"}`)}}
	switch which % 5 {
	case 1:
		spec.Resources = amounts(t, `{"cpu":"500m","memory":"1Gi"}`)
		spec.NodeSelector = map[string]string{"disk": "ssd"}
	case 2:
		spec.Spread = []candor.Spread{{Topology: candor.LabelZone, MaxSkew: 1}}
	case 3:
		spec.Affinity = []candor.Affinity{{Nodes: "disk=hdd", Weight: 10}, {Instances: "candor/workload=w3", Anti: true, Topology: candor.LabelHost, Weight: 50}}
	case 4:
		spec.Tolerations = []candor.Toleration{{Key: "gpu"}}
		spec.Packing = candor.PackingBinPack
	}
	return spec
}
