package scheduler

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
)

// Each change is made to the objects, in a model of its own.
func TestEverySmallestChangeFits(t *testing.T) {
	tried := 0
	check(t, func(r *rapid.T, m *Model, u *universe) {
		for _, ref := range m.Pending() {
			changes := Smallest(m, ref)
			o, err := Decide(m, ref, Brief)
			if err != nil {
				r.Fatal(err)
			}
			if o.Decision.Verdict == candor.VerdictPlaced && len(changes) > 0 {
				r.Fatalf("%s fits, and is told to change: %v", ref, changes)
			}
			for _, change := range changes {
				tried++
				i, n := u.instances[ref.Name], u.nodes[change.Node]
				i.spec.Spread, i.spec.Affinity = slices.Clone(i.spec.Spread), slices.Clone(i.spec.Affinity)
				i.spec.Resources = slices.Clone(i.spec.Resources)
				enact(r, change, &i, &n)
				objects := u.objects(20)
				objects = append(objects, placed{candor.KindInstances, instanceObject(i, 21)}, placed{candor.KindNodes, nodeObject(n, 21)})
				after, err := Decide(build(t, objects), ref, Explain)
				if err != nil {
					r.Fatal(err)
				}
				if !fitsOn(after.Explanation, change.Node) {
					r.Fatalf("after %q %s does not fit on %s: %+v", change.Change, ref, change.Node, after.Explanation.Nodes)
				}
			}
		}
	})
	if t.Log(tried, "changes"); tried < 5 && !testing.Short() {
		t.Error("too few changes are tried for the property to say much")
	}
}

func fitsOn(e *candor.Explanation, node string) bool {
	return slices.ContainsFunc(e.Nodes, func(row candor.NodeVerdict) bool { return row.Fits && slices.Contains(row.Nodes, node) })
}

// enact makes the change as its fields say.
func enact(r *rapid.T, c candor.FittingChange, i *instanceSetup, n *nodeSetup) {
	field := strings.TrimPrefix(c.Field, "spec.")
	index := func() int {
		_, rest, _ := strings.Cut(field, "[")
		digits, _, _ := strings.Cut(rest, "]")
		at, err := strconv.Atoi(digits)
		if err != nil {
			r.Fatalf("%q: %v", c.Field, err)
		}
		return at
	}
	switch {
	case c.Field == "":
		n.unready = n.unready && !strings.Contains(c.Change, "recovers")
		n.cordon = n.cordon && !strings.Contains(c.Change, "uncordoned")
		n.drain = n.drain && !strings.Contains(c.Change, "drain")
	case strings.HasPrefix(field, "resources."):
		name := strings.TrimPrefix(field, "resources.")
		value, err := candor.ParseAmount(name, c.Value)
		if err != nil {
			r.Fatal(err)
		}
		for at := range i.spec.Resources {
			if i.spec.Resources[at].Name == name {
				i.spec.Resources[at].Value = value
			}
		}
	case strings.HasPrefix(field, "nodeSelector."):
		i.spec.NodeSelector = map[string]string{}
		if c.Value != "" {
			i.spec.NodeSelector[strings.TrimPrefix(field, "nodeSelector.")] = c.Value
		}
	case strings.HasPrefix(field, "tolerations"):
		key, effect, _ := strings.Cut(c.Value, ":")
		i.spec.Tolerations = append(slices.Clone(i.spec.Tolerations), candor.Toleration{Key: key, Effect: candor.TaintEffect(effect)})
	case strings.HasSuffix(field, ".maxSkew"):
		skew, err := strconv.Atoi(c.Value)
		if err != nil {
			r.Fatal(err)
		}
		i.spec.Spread[index()].MaxSkew = int32(skew)
	case strings.HasPrefix(field, "spread["):
		i.spec.Spread = slices.Delete(i.spec.Spread, index(), index()+1)
	case strings.HasPrefix(field, "affinity["):
		i.spec.Affinity = slices.Delete(i.spec.Affinity, index(), index()+1)
	default:
		r.Fatalf("no way to make %+v", c)
	}
}

// Evicting all victims makes it fit, evicting all but one does not, and no budget is
// asked for more than it allows.
func TestVictimsAreEnoughFewAndAllowed(t *testing.T) {
	nominated := 0
	rapid.Check(t, func(r *rapid.T) {
		u := drawUniverse(r)
		for name, i := range u.instances {
			if i.node == "" {
				i.spec.Preempts, i.spec.Priority, i.nominated = true, 4, ""
				i.spec.NodeSelector, i.spec.Affinity = nil, nil
				u.instances[name] = i
			}
		}
		m := build(t, u.objects(20))
		for _, ref := range m.Pending() {
			o, err := Decide(m, ref, Brief)
			if err != nil {
				r.Fatal(err)
			}
			if o.Decision.Verdict != candor.VerdictNominated {
				continue
			}
			nominated++
			taken := map[string]int32{}
			for _, v := range o.Victims {
				if v.Priority >= u.instances[ref.Name].spec.Priority {
					r.Fatalf("%s gives way to one of no more priority", v.Ref)
				}
				taken[u.instances[v.Ref.Name].labels[candor.LabelWorkload]]++
			}
			for workload, count := range taken {
				if allowed, has := u.budgets[workload]; has && count > allowed {
					r.Fatalf("%d of %s give way, %d may", count, workload, allowed)
				}
			}
			if !u.fitsWithout(t, r, ref, o, "") {
				r.Fatalf("%s does not fit on %s without its victims %v", ref, o.Decision.Node, o.Decision.Victims)
			}
			for _, v := range o.Victims {
				if u.fitsWithout(t, r, ref, o, v.Ref.Name) {
					r.Fatalf("%s fits on %s beside its victim %s", ref, o.Decision.Node, v.Ref)
				}
			}
		}
	})
	if t.Log(nominated, "nominated"); nominated < 3 && !testing.Short() {
		t.Error("too few are nominated for the property to say much")
	}
}

func (u *universe) fitsWithout(t *testing.T, r *rapid.T, ref candor.Ref, o Outcome, spared string) bool {
	var objects []placed
	for _, obj := range u.objects(20) {
		i, is := u.instances[obj.object.Metadata.Name]
		victim := slices.ContainsFunc(o.Victims, func(v Victim) bool { return v.Ref.Name == i.name })
		if is && (victim || i.ending && i.node == o.Decision.Node) && i.name != spared {
			continue
		}
		objects = append(objects, obj)
	}
	after, err := Decide(build(t, objects), ref, Explain)
	if err != nil {
		r.Fatal(err)
	}
	return fitsOn(after.Explanation, o.Decision.Node)
}

// Classes come and go; what is counted stays right.
func TestCachesOfGoneTemplatesAreDropped(t *testing.T) {
	m := fleet(t, 6)
	keep := func(i int) instanceSetup {
		spec := mixed(t, i)
		spec.Affinity = append(spec.Affinity, candor.Affinity{Instances: "candor/workload=w4", Anti: true, Topology: candor.LabelHost})
		return instanceSetup{name: "keep-" + strconv.Itoa(i), spec: spec, node: "n000" + strconv.Itoa(i), labels: map[string]string{candor.LabelWorkload: "w" + strconv.Itoa(i)}}
	}
	for i := range 3 {
		mustApply(t, m, candor.KindInstances, instanceObject(keep(i), 2))
	}
	for i := range 2000 {
		spec := mixed(t, i)
		spec.Env = map[string]string{"N": strconv.Itoa(i)}
		name := "churn-" + strconv.Itoa(i)
		mustApply(t, m, candor.KindInstances, instanceObject(instanceSetup{name: name, spec: spec, labels: map[string]string{candor.LabelWorkload: "c" + strconv.Itoa(i)}}, 2))
		if _, err := Decide(m, instanceRef(name), Brief); err != nil {
			t.Fatal(err)
		}
		m.Remove(instanceRef(name))
	}
	if len(m.classes) > 600 || len(m.tallies) > 2000 || len(m.templates) > 600 {
		t.Errorf("%d classes, %d tallies, %d templates are kept of 3", len(m.classes), len(m.tallies), len(m.templates))
	}
	fresh := fleet(t, 6)
	for i := range 3 {
		mustApply(t, fresh, candor.KindInstances, instanceObject(keep(i), 2))
	}
	last := instanceSetup{name: "last", spec: mixed(t, 4), labels: map[string]string{candor.LabelWorkload: "w4"}}
	for _, each := range []*Model{m, fresh} {
		mustApply(t, each, candor.KindInstances, instanceObject(last, 3))
	}
	a, err := Decide(m, instanceRef("last"), Brief)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Decide(fresh, instanceRef("last"), Brief)
	if err != nil {
		t.Fatal(err)
	}
	if a.Decision.Digest != b.Decision.Digest || len(a.Decision.Reasons) == 0 {
		t.Errorf("after much churn %+v, on a fresh model %+v", a.Decision, b.Decision)
	}
}
