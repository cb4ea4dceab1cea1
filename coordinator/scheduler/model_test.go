package scheduler

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/candor-plane/candor"
)

func TestWhatCannotBeReadIsInvalidAndChangesNothing(t *testing.T) {
	m := fleet(t, 3)
	mustApply(t, m, candor.KindInstances, instanceObject(instanceSetup{name: "a", spec: mixed(t, 0)}, 2))
	before, err := Decide(m, instanceRef("a"), Brief)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		kind candor.KindName
		name string
		spec string
	}{
		{candor.KindNodes, "n0000", `{"unschedulable":7}`},
		{candor.KindInstances, "a", `{"resources":{"cpu":"-1"}}`},
		{candor.KindInstances, "a", `{"resources":{"memory":"9999999999999999999999"}}`},
		{candor.KindInstances, "a", `{"affinity":[{"nodes":"a in b"}]}`},
		{candor.KindInstances, "a", `{"spread":[{"topology":"z","instances":"("}]}`},
		{candor.KindDisruptionBudgets, "b", `{"instances":"=="}`},
		{candor.KindDisruptionBudgets, "b", `[]`},
	} {
		obj := &candor.Object{Metadata: candor.Metadata{Name: c.name, UID: "u", ResourceVersion: 9}, Spec: json.RawMessage(c.spec)}
		if c.kind != candor.KindNodes {
			obj.Metadata.Namespace = "default"
		}
		_, err := m.Apply(obj, c.kind)
		e, ok := errors.AsType[*candor.Error](err)
		if !ok || e.Reason != candor.ReasonInvalid {
			t.Errorf("%s %s: %v, want INVALID", c.kind, c.spec, err)
		}
	}
	after, err := Decide(m, instanceRef("a"), Brief)
	if err != nil {
		t.Fatal(err)
	}
	if before.Decision.Digest != after.Decision.Digest {
		t.Error("what was refused changed the decision")
	}
}

// An instance may be known before its node, and outlive the node's name.
func TestPlacementsAreHeldOfTheIncarnationTheyName(t *testing.T) {
	m := NewModel()
	room := amounts(t, `{"cpu":"4"}`)
	spec := candor.InstanceSpec{InstanceTemplate: candor.InstanceTemplate{Resources: amounts(t, `{"cpu":"3","disks":"1"}`)}}
	mustApply(t, m, candor.KindInstances, instanceObject(instanceSetup{name: "old", spec: spec, node: "w"}, 2))
	waits := candor.InstanceSpec{InstanceTemplate: candor.InstanceTemplate{Resources: amounts(t, `{"cpu":"2"}`)}}
	mustApply(t, m, candor.KindInstances, instanceObject(instanceSetup{name: "new", spec: waits}, 2))
	verdict := func() candor.Verdict {
		o, err := Decide(m, instanceRef("new"), Brief)
		if err != nil {
			t.Fatal(err)
		}
		return o.Decision.Verdict
	}
	mustApply(t, m, candor.KindNodes, nodeObject(nodeSetup{name: "w", capacity: room}, 3))
	if got := verdict(); got != candor.VerdictNothingFits {
		t.Errorf("beside the old one: %s", got)
	}
	again := nodeObject(nodeSetup{name: "w", capacity: room}, 4)
	again.Metadata.UID = "node-w-again"
	mustApply(t, m, candor.KindNodes, again)
	if got := verdict(); got != candor.VerdictPlaced {
		t.Errorf("on another node of the same name: %s", got)
	}
	m.Remove(instanceRef("old"))
	if len(m.nodes)-len(m.vacant) != 1 {
		t.Errorf("%d slots are kept for 1 node", len(m.nodes)-len(m.vacant))
	}
}

// Names that are only asked for cost nodes nothing.
func TestUnknownResourcesMakeNoRowWider(t *testing.T) {
	m := fleet(t, 3)
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		spec := candor.InstanceSpec{InstanceTemplate: candor.InstanceTemplate{Resources: candor.Resources{{Name: "odd-" + name, Value: 1}}}}
		mustApply(t, m, candor.KindInstances, instanceObject(instanceSetup{name: name, spec: spec}, 2))
		o, err := Decide(m, instanceRef(name), Explain)
		if err != nil {
			t.Fatal(err)
		}
		if got := o.Decision.Reasons; len(got) == 0 || got[0].Reason != "Insufficient odd-"+name {
			t.Errorf("%s: %v", name, got)
		}
	}
	if len(m.names) != firstOther {
		t.Errorf("the rows are for %v", m.names)
	}
}

func TestEqualNodesTakeTurns(t *testing.T) {
	m := NewModel()
	for _, name := range []string{"w1", "w2", "w3", "w4"} {
		mustApply(t, m, candor.KindNodes, nodeObject(nodeSetup{name: name, capacity: amounts(t, `{"cpu":"1000"}`)}, 1))
	}
	first := map[string]int{}
	for i := range 400 {
		name := "i" + string(rune('a'+i%26)) + string(rune('a'+i/26))
		mustApply(t, m, candor.KindInstances, instanceObject(instanceSetup{name: name}, 2))
		o, err := Decide(m, instanceRef(name), Brief)
		if err != nil {
			t.Fatal(err)
		}
		first[o.Decision.Node]++
		if o.Decision.Margin != 0 || o.Decision.TieBreak != TieRotation {
			t.Fatalf("margin %d, %s", o.Decision.Margin, o.Decision.TieBreak)
		}
	}
	for _, name := range []string{"w1", "w2", "w3", "w4"} {
		if first[name] < 70 || first[name] > 130 {
			t.Errorf("%s is first %d times of 400 on 4 equal nodes", name, first[name])
		}
	}
}
