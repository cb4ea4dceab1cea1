package scheduler

import (
	"fmt"
	"testing"

	"github.com/candor-plane/candor"
)

// TestNodesShareNothingOfOneThatIsGone, whatever ended on that one, and whenever its
// instances go.
func TestNodesShareNothingOfOneThatIsGone(t *testing.T) {
	for _, gone := range []string{"node first", "instances end first"} {
		t.Run(gone, func(t *testing.T) {
			m := NewModel()
			mustApply(t, m, candor.KindNodes, nodeObject(nodeSetup{name: "old", capacity: amounts(t, `{"cpu":"16"}`)}, 1))
			small := candor.InstanceSpec{InstanceTemplate: candor.InstanceTemplate{Command: []string{"x"}, Resources: amounts(t, `{"cpu":"1"}`)}}
			each := func(revision uint64, ended bool) {
				for i := range 3 {
					s := instanceSetup{name: fmt.Sprintf("i%d", i), spec: small, node: "old", created: 1, ended: ended}
					mustApply(t, m, candor.KindInstances, instanceObject(s, revision))
				}
			}
			each(2, false)
			if gone == "node first" {
				m.Remove(candor.Ref{Kind: candor.KindNodes, Name: "old"})
				each(3, true)
			} else {
				each(3, true)
				m.Remove(candor.Ref{Kind: candor.KindNodes, Name: "old"})
			}
			for i := range 3 {
				m.Remove(instanceRef(fmt.Sprintf("i%d", i)))
			}
			for i, cpu := range []string{"1", "2", "4"} {
				mustApply(t, m, candor.KindNodes, nodeObject(nodeSetup{name: fmt.Sprintf("new%d", i), capacity: amounts(t, `{"cpu":"`+cpu+`"}`)}, uint64(10+i)))
			}
			slots := map[int32]string{}
			for name, slot := range m.byName {
				if other, shared := slots[slot]; shared {
					t.Errorf("%s and %s share slot %d", name, other, slot)
				}
				slots[slot] = name
			}
			large := small
			large.Resources = amounts(t, `{"cpu":"2"}`)
			mustApply(t, m, candor.KindInstances, instanceObject(instanceSetup{name: "large", spec: large, created: 20}, 20))
			out := Batch(m, m.Pending())
			if d := out[0].Decision; d.Verdict != candor.VerdictPlaced || d.Node == "new0" {
				t.Errorf("%s on %q: 2 cores fit new1 and new2, and new0 has one", d.Verdict, d.Node)
			}
		})
	}
}
