package scheduler

import (
	"fmt"
	"testing"

	"github.com/candor-plane/candor"
)

// Alike instances send one of them to look, and all follow while there is room.
func TestAlikeInstancesWaitAsOne(t *testing.T) {
	const alike = 40
	m := NewModel()
	spec := candor.InstanceSpec{InstanceTemplate: candor.InstanceTemplate{Resources: amounts(t, `{"cpu":"1"}`)}}
	mustApply(t, m, candor.KindNodes, nodeObject(nodeSetup{name: "w0", capacity: amounts(t, `{"cpu":"1"}`)}, 1))
	mustApply(t, m, candor.KindInstances, instanceObject(instanceSetup{name: "there", spec: spec, node: "w0"}, 2))
	for i := range alike {
		mustApply(t, m, candor.KindInstances, instanceObject(instanceSetup{name: fmt.Sprintf("i%02d", i), spec: spec, created: uint64(i)}, 3))
	}
	q := NewQueue(m)
	revision := uint64(10)
	drain := func() (decided, placed int) {
		for {
			batch := Batch(m, q.Next(MaxBatch))
			if len(batch) == 0 {
				return decided, placed
			}
			q.Decided(batch)
			for _, o := range batch {
				decided++
				if o.Decision.Verdict == candor.VerdictPlaced {
					placed++
					revision++
					q.Woken(mustApply(t, m, candor.KindInstances, instanceObject(instanceSetup{name: o.Ref.Name, spec: spec, node: o.Decision.Node}, revision)))
				}
			}
		}
	}
	if decided, placed := drain(); decided != alike || placed != 0 {
		t.Fatalf("at first %d are decided and %d placed, want %d and 0", decided, placed, alike)
	}
	woken := q.Woken(m.Remove(instanceRef("there")))
	if len(woken) != 1 || woken[0] != instanceRef("i00") {
		t.Fatalf("one place wakes %v, want the first", woken)
	}
	if decided, placed := drain(); placed != 1 || decided > 1+nextScouts {
		t.Errorf("for one place %d are decided and %d placed", decided, placed)
	}
	revision++
	if woken := q.Woken(mustApply(t, m, candor.KindNodes, nodeObject(nodeSetup{name: "w1", capacity: amounts(t, `{"cpu":"1"}`), cordon: true}, revision))); len(woken) != 0 {
		t.Errorf("a cordoned node wakes %v", woken)
	}
	revision++
	q.Woken(mustApply(t, m, candor.KindNodes, nodeObject(nodeSetup{name: "w2", capacity: amounts(t, `{"cpu":"100"}`)}, revision)))
	if decided, placed := drain(); placed != alike-1 || decided != alike-1 {
		t.Errorf("with room for all %d are decided and %d placed, want %d", decided, placed, alike-1)
	}
	if active, proposed, blocked := q.Len(); active+proposed+blocked != 0 || len(q.groups)+len(q.scouts) != 0 {
		t.Errorf("%d active, %d proposed, %d blocked, %d groups and %d scouts are left", active, proposed, blocked, len(q.groups), len(q.scouts))
	}
}

func TestNobodyOfLessPriorityTakesAPlaceThatOneBehindAScoutWaitsFor(t *testing.T) {
	m := NewModel()
	spec := func(priority int32) candor.InstanceSpec {
		return candor.InstanceSpec{InstanceTemplate: candor.InstanceTemplate{Resources: amounts(t, `{"cpu":"1"}`)}, Priority: priority}
	}
	mustApply(t, m, candor.KindNodes, nodeObject(nodeSetup{name: "w0", capacity: amounts(t, `{"cpu":"2"}`)}, 1))
	for _, name := range []string{"there-0", "there-1"} {
		mustApply(t, m, candor.KindInstances, instanceObject(instanceSetup{name: name, spec: spec(100), node: "w0"}, 2))
	}
	for i := range 2 {
		mustApply(t, m, candor.KindInstances, instanceObject(instanceSetup{name: fmt.Sprintf("low-%d", i), spec: spec(100), created: uint64(i)}, 3))
		mustApply(t, m, candor.KindInstances, instanceObject(instanceSetup{name: fmt.Sprintf("high-%d", i), spec: spec(200), created: uint64(10 + i)}, 3))
	}
	q := NewQueue(m)
	q.Decided(Batch(m, q.Next(MaxBatch)))
	q.Woken(m.Remove(instanceRef("there-0")))
	q.Woken(m.Remove(instanceRef("there-1")))
	placed := map[string]bool{}
	for _, o := range Batch(m, q.Next(MaxBatch)) {
		if o.Decision.Verdict == candor.VerdictPlaced {
			placed[o.Ref.Name] = true
		}
	}
	if len(placed) != 2 || !placed["high-0"] || !placed["high-1"] {
		t.Errorf("of two places that became free one after the other: %v", placed)
	}
}
