package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
)

// A universe is objects as the root would hold them.
type universe struct {
	nodes     map[string]nodeSetup
	instances map[string]instanceSetup
	budgets   map[string]int32
}

var (
	zonesDrawn     = rapid.SampledFrom([]string{"", "a", "b", "c"})
	workloadsDrawn = rapid.SampledFrom([]string{"web", "db", "job"})
)

func drawNode(t *rapid.T, name string) nodeSetup {
	n := nodeSetup{name: name, labels: map[string]string{}}
	if zone := zonesDrawn.Draw(t, "zone"); zone != "" {
		n.labels[candor.LabelZone] = zone
	}
	if rapid.Bool().Draw(t, "ssd") {
		n.labels["disk"] = "ssd"
	}
	odd := rapid.IntRange(0, 15).Draw(t, "odd")
	n.cordon, n.drain, n.unready = odd == 1, odd == 2, odd == 3
	if odd != 4 {
		n.capacity = candor.Resources{
			{Name: "cpu", Value: 1000 * rapid.Int64Range(0, 4).Draw(t, "cpu")}, {Name: "disks", Value: rapid.Int64Range(0, 2).Draw(t, "disks")},
			{Name: "memory", Value: rapid.Int64Range(1, 4).Draw(t, "memory") << 30},
		}
	}
	if odd >= 13 {
		n.taints = []candor.Taint{{Key: "t", Effect: []candor.TaintEffect{candor.NoSchedule, candor.NoExecute, candor.PreferNoSchedule}[odd-13]}}
	}
	return n
}

func drawSpec(t *rapid.T) candor.InstanceSpec {
	var s candor.InstanceSpec
	s.Resources = candor.Resources{
		{Name: "cpu", Value: 500 * rapid.Int64Range(0, 4).Draw(t, "cpu")}, {Name: "memory", Value: rapid.Int64Range(0, 4).Draw(t, "memory") << 29},
	}
	one := func(of int, label string) bool { return rapid.IntRange(1, of).Draw(t, label) == 1 }
	if one(6, "disks") {
		s.Resources = append(s.Resources[:1:1], candor.Amount{Name: "disks", Value: 1}, s.Resources[1])
	}
	if one(6, "selects") {
		s.NodeSelector = map[string]string{"disk": "ssd"}
	}
	if one(5, "spreads") {
		s.Spread = append(s.Spread, candor.Spread{
			Topology: rapid.SampledFrom([]string{candor.LabelZone, candor.LabelHost}).Draw(t, "over"), MaxSkew: rapid.Int32Range(1, 2).Draw(t, "skew"), Prefer: one(4, "wish"),
		})
	}
	if one(4, "likes") {
		s.Affinity = append(s.Affinity, candor.Affinity{
			Instances: "candor/workload=" + workloadsDrawn.Draw(t, "whom"), Anti: rapid.Bool().Draw(t, "anti"),
			Topology: rapid.SampledFrom([]string{candor.LabelZone, ""}).Draw(t, "where"), Weight: rapid.SampledFrom([]int32{0, 0, 50}).Draw(t, "weight"),
		})
	}
	if one(6, "nodes") {
		s.Affinity = append(s.Affinity, candor.Affinity{
			Nodes: candor.LabelZone + " in (a,b)", Anti: rapid.Bool().Draw(t, "anti"), Weight: rapid.SampledFrom([]int32{0, 20}).Draw(t, "weight"),
		})
	}
	if one(5, "tolerates") {
		s.Tolerations = []candor.Toleration{{Key: "t"}}
	}
	if one(3, "packs") {
		s.Packing = candor.PackingBinPack
	}
	s.Priority = rapid.Int32Range(0, 3).Draw(t, "priority")
	s.Preempts = one(3, "preempts")
	return s
}

func drawInstance(t *rapid.T, name string, nodes []string) instanceSetup {
	i := instanceSetup{
		name: name, spec: drawSpec(t), created: rapid.Uint64Range(1, 9).Draw(t, "created"),
		labels: map[string]string{candor.LabelWorkload: workloadsDrawn.Draw(t, "workload")},
	}
	if len(nodes) > 0 && rapid.Bool().Draw(t, "placed") {
		i.node = rapid.SampledFrom(nodes).Draw(t, "node")
		i.ending = rapid.IntRange(1, 6).Draw(t, "ending") == 1
		return i
	}
	if len(nodes) > 0 && rapid.IntRange(1, 8).Draw(t, "waits") == 1 {
		i.nominated = rapid.SampledFrom(nodes).Draw(t, "nominated")
	}
	return i
}

func drawUniverse(t *rapid.T) *universe {
	u := &universe{nodes: map[string]nodeSetup{}, instances: map[string]instanceSetup{}, budgets: map[string]int32{}}
	for i := range rapid.IntRange(0, 5).Draw(t, "nodes") {
		name := fmt.Sprintf("n%d", i)
		u.nodes[name] = drawNode(t, name)
	}
	names := slices.Sorted(maps.Keys(u.nodes))
	for i := range rapid.IntRange(0, 12).Draw(t, "instances") {
		name := fmt.Sprintf("i%d", i)
		u.instances[name] = drawInstance(t, name, names)
	}
	for _, workload := range []string{"web", "db"} {
		if rapid.Bool().Draw(t, "budget") {
			u.budgets[workload] = rapid.Int32Range(0, 2).Draw(t, "allowed")
		}
	}
	return u
}

type placed struct {
	kind   candor.KindName
	object *candor.Object
}

func (u *universe) objects(revision uint64) []placed {
	var out []placed
	for _, name := range slices.Sorted(maps.Keys(u.nodes)) {
		out = append(out, placed{candor.KindNodes, nodeObject(u.nodes[name], revision)})
	}
	for _, name := range slices.Sorted(maps.Keys(u.instances)) {
		out = append(out, placed{candor.KindInstances, instanceObject(u.instances[name], revision)})
	}
	for _, name := range slices.Sorted(maps.Keys(u.budgets)) {
		out = append(out, placed{candor.KindDisruptionBudgets, budgetObject(name, "candor/workload="+name, u.budgets[name], revision)})
	}
	return out
}

func build(t testing.TB, objects []placed) *Model {
	m := NewModel()
	for _, o := range objects {
		mustApply(t, m, o.kind, o.object)
	}
	m.Advance(candor.Token{Term: 1, Index: 50, Revision: 50})
	return m
}

func check(t *testing.T, property func(t *rapid.T, m *Model, u *universe)) {
	t.Helper()
	rapid.Check(t, func(r *rapid.T) {
		u := drawUniverse(r)
		property(r, build(t, u.objects(20)), u)
	})
}

// Computed from the objects alone, by hand.
func TestPlacementsKeepWhatTheObjectsAskFor(t *testing.T) {
	check(t, func(r *rapid.T, m *Model, u *universe) {
		held := map[string]candor.Resources{}
		hold := func(node string, i instanceSetup) {
			sum, ok := held[node].Plus(i.spec.Resources)
			if !ok {
				r.Fatal("overflow")
			}
			held[node] = sum
		}
		for _, i := range u.instances {
			if i.node != "" {
				hold(i.node, i)
			}
		}
		for _, o := range Batch(m, m.Pending()) {
			for _, v := range o.Victims {
				victim := u.instances[v.Ref.Name]
				victim.ending = true
				u.instances[victim.name] = victim
			}
			if o.Decision.Verdict != candor.VerdictPlaced {
				continue
			}
			i, n := u.instances[o.Ref.Name], u.nodes[o.Decision.Node]
			hold(n.name, i)
			if what, exceeds := held[n.name].Exceeds(n.capacity); exceeds && i.spec.Resources.Get(what) > 0 {
				r.Fatalf("%s on %s: more %s than there is", i.name, n.name, what)
			}
			if n.unready || n.cordon || n.drain || n.capacity == nil {
				r.Fatalf("%s on %s, which takes nothing", i.name, n.name)
			}
			for key, value := range i.spec.NodeSelector {
				if n.labels[key] != value {
					r.Fatalf("%s on %s, which is not %s=%s", i.name, n.name, key, value)
				}
			}
			for _, taint := range n.taints {
				if taint.Effect != candor.PreferNoSchedule && len(i.spec.Tolerations) == 0 {
					r.Fatalf("%s on %s, which is tainted", i.name, n.name)
				}
			}
			i.node = n.name
			u.instances[o.Ref.Name] = i
			u.checkSpread(r, i)
			u.checkAnti(r, i)
		}
	})
}

func (u *universe) domain(node, topology string) (string, bool) {
	if topology == candor.LabelHost || topology == "" {
		return node, true
	}
	value, ok := u.nodes[node].labels[topology]
	return value, ok
}

func (u *universe) checkSpread(r *rapid.T, i instanceSetup) {
	for _, s := range i.spec.Spread {
		if s.Prefer {
			continue
		}
		counts := map[string]int32{}
		for name, n := range u.nodes {
			eligible := true
			for key, value := range i.spec.NodeSelector {
				eligible = eligible && n.labels[key] == value
			}
			for _, a := range i.spec.Affinity {
				if a.Nodes != "" && a.Weight == 0 {
					inAB := n.labels[candor.LabelZone] == "a" || n.labels[candor.LabelZone] == "b"
					eligible = eligible && inAB != a.Anti
				}
			}
			if d, ok := u.domain(name, s.Topology); ok && eligible {
				counts[d] += 0
			}
		}
		own, in := u.domain(i.node, s.Topology)
		if !in {
			r.Fatalf("%s is spread over %s and on a node without", i.name, s.Topology)
		}
		for _, other := range u.instances {
			if other.node == "" || other.ending || other.labels[candor.LabelWorkload] != i.labels[candor.LabelWorkload] {
				continue
			}
			if d, ok := u.domain(other.node, s.Topology); ok {
				if _, counted := counts[d]; counted || d == own {
					counts[d]++
				}
			}
		}
		least := counts[own]
		for _, n := range counts {
			least = min(least, n)
		}
		if counts[own]-least > s.MaxSkew {
			r.Fatalf("%s makes the skew over %s %d, more than %d", i.name, s.Topology, counts[own]-least, s.MaxSkew)
		}
	}
}

func (u *universe) checkAnti(r *rapid.T, i instanceSetup) {
	keepsAway := func(a, b instanceSetup) {
		for _, term := range a.spec.Affinity {
			if !term.Anti || term.Weight > 0 || term.Instances != "candor/workload="+b.labels[candor.LabelWorkload] {
				continue
			}
			x, in := u.domain(a.node, term.Topology)
			y, also := u.domain(b.node, term.Topology)
			if in && also && x == y {
				r.Fatalf("%s is on %s, near %s on %s: %s wants it away", i.name, i.node, b.name, b.node, a.name)
			}
		}
	}
	for _, other := range u.instances {
		if other.node != "" && other.name != i.name {
			keepsAway(i, other)
			keepsAway(other, i)
		}
	}
}

func TestTheOrderOfApplicationDoesNotMatter(t *testing.T) {
	check(t, func(r *rapid.T, m *Model, u *universe) {
		want := Batch(m, m.Pending())
		stale := drawUniverse(r)
		gone := []placed{}
		for _, o := range stale.objects(7) {
			o.object.Metadata.ResourceVersion = 7
			if _, still := u.find(o); still {
				gone = append(gone, o)
			}
		}
		shuffled := rapid.Permutation(append(u.objects(20), gone...)).Draw(r, "order")
		other := build(t, shuffled)
		if diff := cmp.Diff(want, Batch(other, other.Pending())); diff != "" {
			r.Fatalf("applied in another order (-want +got):\n%s", diff)
		}
		clone := m.Clone()
		if diff := cmp.Diff(want, Batch(clone, clone.Pending())); diff != "" {
			r.Fatalf("on a clone (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, Batch(m, m.Pending())); diff != "" {
			r.Fatalf("a second time (-want +got):\n%s", diff)
		}
	})
}

func (u *universe) find(o placed) (any, bool) {
	name := o.object.Metadata.Name
	switch o.kind {
	case candor.KindNodes:
		n, ok := u.nodes[name]
		return n, ok
	case candor.KindInstances:
		i, ok := u.instances[name]
		return i, ok
	default:
		b, ok := u.budgets[name]
		return b, ok
	}
}

func TestABatchReplaysWhole(t *testing.T) {
	check(t, func(r *rapid.T, m *Model, _ *universe) {
		var earlier []Earlier
		for _, o := range Batch(m, m.Pending()) {
			d := o.Decision
			if got := Replay(m, earlier, o.Ref, &d); !got.Same {
				r.Fatalf("%s: %+v", o.Ref, got)
			}
			d.Digest = "0" + d.Digest[1:]
			if got := Replay(m, earlier, o.Ref, &d); d.Digest != o.Decision.Digest && got.Reason != candor.ReasonDecisionDiffers {
				r.Fatalf("%s with a forged digest: %+v", o.Ref, got)
			}
			earlier = append([]Earlier{{Ref: o.Ref, Decision: o.Decision}}, earlier...)
		}
	})
}

func TestExplainingSaysWhatWasDecided(t *testing.T) {
	check(t, func(r *rapid.T, m *Model, _ *universe) {
		for _, ref := range m.Pending() {
			brief, err := Decide(m, ref, Brief)
			if err != nil {
				r.Fatal(err)
			}
			full, err := Decide(m, ref, Explain)
			if err != nil {
				r.Fatal(err)
			}
			e := full.Explanation
			full.Explanation = nil
			if diff := cmp.Diff(brief, full); diff != "" {
				r.Fatalf("explaining changed the decision:\n%s", diff)
			}
			first, rows := map[string]int{}, 0
			for _, row := range e.Nodes {
				rows += len(row.Nodes)
				if !row.Fits {
					first[row.Reasons[0].Reason] += len(row.Nodes)
					continue
				}
				sum := int64(0)
				for _, part := range row.Scores {
					sum += part.Score * part.Weight
				}
				if sum != row.Score {
					r.Fatalf("the parts of %v add up to %d, not %d", row.Nodes, sum, row.Score)
				}
			}
			if rows != brief.Decision.Considered {
				r.Fatalf("%d of %d nodes are explained", rows, brief.Decision.Considered)
			}
			for _, reason := range brief.Decision.Reasons {
				if first[reason.Reason] != reason.Nodes {
					r.Fatalf("%s: %d nodes in the decision, %d in the explanation", reason.Reason, reason.Nodes, first[reason.Reason])
				}
			}
			if len(e.Nodes) > 0 && e.Nodes[0].Fits && e.Nodes[0].Score != brief.Decision.Best[0].Score {
				r.Fatalf("the best is %d in the explanation, %v in the decision", e.Nodes[0].Score, brief.Decision.Best)
			}
		}
	})
}
