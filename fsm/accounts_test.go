package fsm

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/placement"
)

func accountsOf(v *View) (out []Account) {
	v.Accounts(func(a Account) bool {
		out = append(out, a)
		return true
	})
	return out
}

func sameAccounts(a, b []Account) bool {
	return slices.EqualFunc(a, b, func(a, b Account) bool {
		return a.Node == b.Node && a.NodeUID == b.NodeUID && a.Instances == b.Instances && slices.Equal(a.Held, b.Held)
	})
}

// wantCounted fails unless the accounts are what counting the instances gives, by the
// vocabulary's own sums, and within what the nodes had at their largest.
func wantCounted(t testing.TB, m *Machine) {
	t.Helper()
	counted := map[string]*Account{}
	err := m.View().List(candor.KindInstances, "", "", 0, func(v *mvcc.Version) bool {
		o := mustDecode(v)
		p, ok := placement.PlaceOf(o.Status)
		needs, err := placement.Needs(o.Spec)
		if !ok || err != nil {
			t.Errorf("%s is stored and cannot be read", v.Key)
		}
		if !p.Live() {
			return true
		}
		a := counted[p.Node+" "+p.NodeUID]
		if a == nil {
			a = &Account{Node: p.Node, NodeUID: p.NodeUID}
			counted[p.Node+" "+p.NodeUID] = a
		}
		a.Instances++
		if a.Held, ok = a.Held.Plus(needs); !ok {
			t.Errorf("%s overflows", p.Node)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	got := accountsOf(m.View())
	if len(got) != len(counted) {
		t.Fatalf("%d accounts, counted %d", len(got), len(counted))
	}
	for _, a := range got {
		if c := counted[a.Node+" "+a.NodeUID]; c == nil || c.Instances != a.Instances || !slices.Equal(c.Held, a.Held) {
			t.Fatalf("account %+v, counted %+v", a, c)
		}
	}
}

// Whatever is placed, observed, ended, moved about and taken away, in whatever order:
// nothing is held beyond what a node ever had, every instance keeps its first place,
// and the accounts are a recount, on every replica and after a restore.
func TestNothingIsEverHeldTwiceNorBeyondCapacity(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		nodes := []string{"w1", "w2", "w3"}
		r := fleet(t, nodes...)
		most := map[string]int64{"w1": 4000, "w2": 4000, "w3": 4000}
		places := map[string]string{}
		name := func() string { return fmt.Sprintf("i%d", rapid.IntRange(0, 11).Draw(rt, "instance")) }
		node := func() string { return rapid.SampledFrom(nodes).Draw(rt, "node") }
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			switch rapid.IntRange(0, 8).Draw(rt, "step") {
			case 0, 1:
				r.write(createInstance(name(), fmt.Sprintf(`{"cpu":"%dm","memory":%d}`, rapid.IntRange(0, 2500).Draw(rt, "cpu"), rapid.IntRange(0, 1<<32).Draw(rt, "memory"))))
			case 2, 3, 4:
				var items []command.Placement
				for range rapid.IntRange(1, 8).Draw(rt, "items") {
					items = append(items, r.proposal(name(), node()))
				}
				r.place(items...)
			case 5:
				n, cpu := node(), rapid.Int64Range(0, 8).Draw(rt, "capacity")
				if res := r.write(observe(nodeRef(n), fmt.Sprintf(`{"capacity":{"cpu":%d,"memory":"8Gi"},"session":"s"}`, cpu))); res.Reason == "" {
					most[n] = max(most[n], cpu*1000)
				}
			case 6:
				ref := instanceRef(name())
				if o := r.get(ref); o != nil {
					p, _ := placement.PlaceOf(o.Status)
					to := rapid.SampledFrom([]string{"Pending", "Placed", "Succeeded", "Failed", "Lost"}).Draw(rt, "phase")
					on := rapid.SampledFrom([]string{p.Node, "w1", ""}).Draw(rt, "on")
					s := `{"phase":"` + to + `"}`
					if on != "" {
						s = `{"phase":"` + to + `","node":"` + on + `","nodeUID":"uid--` + on + `"}`
					}
					r.write(status(ref, s))
				}
			case 7:
				ref := instanceRef(name())
				if r.get(ref) != nil {
					r.write(remove(ref.Kind, ref.Namespace, ref.Name, ""))
					if rapid.Bool().Draw(rt, "let go") && r.get(ref) != nil {
						r.update(ref, func(o *candor.Object) { o.Metadata.Finalizers = nil })
					}
				}
			default:
				n := node()
				if r.get(nodeRef(n)) != nil {
					r.write(remove(candor.KindNodes, "", n, ""))
				} else {
					r.write(createNode(n))
					r.write(observe(nodeRef(n), `{"capacity":{"cpu":4,"memory":"8Gi"},"session":"s"}`))
					r.write(status(nodeRef(n), isReady))
				}
			}
			if n := r.m.View().Stats().Violations; n != 0 {
				rt.Fatalf("an invariant had to block a turn: %+v", r.m.View().Records())
			}
			for _, a := range accountsOf(r.m.View()) {
				if a.Held.Get("cpu") > most[a.Node] || a.Held.Get("memory") > 8<<30 {
					rt.Fatalf("%+v is beyond what the node ever had: %d", a, most[a.Node])
				}
			}
			for i := range 12 {
				o := r.get(instanceRef(fmt.Sprintf("i%d", i)))
				if o == nil {
					continue
				}
				life := fmt.Sprintf("%d@%d", i, o.Metadata.CreateRevision)
				if p, _ := placement.PlaceOf(o.Status); places[life] != "" && p.Node != places[life] {
					rt.Fatalf("%s moved from %s to %q", life, places[life], p.Node)
				} else {
					places[life] = p.Node
				}
			}
		}
		wantCounted(t, r.m)
		again, back := r.replayed(), restored(t, r.m)
		wantSame(t, "replayed", r.m, again)
		wantSame(t, "restored", r.m, back)
		for _, m := range []*Machine{again, back} {
			if !sameAccounts(accountsOf(m.View()), accountsOf(r.m.View())) {
				rt.Fatalf("accounts %+v, want %+v", accountsOf(m.View()), accountsOf(r.m.View()))
			}
		}
	})
}
