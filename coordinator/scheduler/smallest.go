package scheduler

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/candor-plane/candor"
)

// maxChanges bounds what Smallest tells, nodesEach how much of one kind, and maxTries how
// many of a kind are tried.
const (
	maxChanges = 8
	nodesEach  = 3
	maxTries   = 64
)

// Smallest finds single changes after which a pending instance would fit, each enough
// alone, on the model as it stands. Every one was tried: with the change made, all
// filters let the instance onto the node. Of one change of the spec the node is named
// that asks the least of it. Nothing is returned for an instance that fits or that
// does not wait.
func Smallest(m *Model, ref candor.Ref) []candor.FittingChange {
	inst := m.instances[ref]
	if inst == nil || !inst.waiting() {
		return nil
	}
	q := &m.question
	m.prepare(q, inst.class, inst)
	return m.smallest(q)
}

// proposal is a change of the template, or of one node.
type proposal struct {
	candor.FittingChange
	// rank orders kinds, cost what is asked within a kind; of one what, the least cost
	// counts.
	rank int
	cost int64
	what string
	slot int32
	spec func(*candor.InstanceSpec)
	onto func(*node)
}

func (m *Model) smallest(q *question) []candor.FittingChange {
	class, inst := q.class, q.inst
	var all []proposal
	for _, slot := range m.order {
		found := m.every(q, slot)
		if len(found) == 0 {
			return nil
		}
		if p, ok := m.propose(q, slot, found); ok {
			p.slot, p.Node = slot, m.nodes[slot].name
			all = append(all, p)
		}
	}
	slices.SortStableFunc(all, func(a, b proposal) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.cost, b.cost)) })
	var out []candor.FittingChange
	said, perRank, tries := map[string]bool{}, map[int]int{}, map[int]int{}
	for i := range all {
		p := &all[i]
		if said[p.what] || perRank[p.rank] == nodesEach || tries[p.rank] == maxTries {
			continue
		}
		tries[p.rank]++
		if len(out) == maxChanges || !m.works(p, class, inst) {
			continue
		}
		said[p.what] = true
		perRank[p.rank]++
		out = append(out, p.FittingChange)
	}
	m.prepare(q, class, inst)
	return out
}

// works tries the change.
func (m *Model) works(p *proposal, c *class, inst *instance) bool {
	if p.onto != nil {
		changed := m.nodes[p.slot]
		p.onto(&changed)
		var q question
		m.prepare(&q, c, inst)
		return len(c.staticVerdicts(&changed, false)) == 0 && m.dynamic(&q, p.slot, new(cell)) == 0
	}
	altered, err := m.altered(c, p.spec)
	if err != nil {
		return false
	}
	var q question
	m.prepare(&q, altered, inst)
	return len(altered.staticVerdicts(&m.nodes[p.slot], false)) == 0 && m.dynamic(&q, p.slot, new(cell)) == 0
}

// altered is the class with another template; nothing keeps it.
func (m *Model) altered(c *class, change func(*candor.InstanceSpec)) (*class, error) {
	t := &template{raw: c.template.raw, spec: c.template.spec}
	t.spec.NodeSelector = maps.Clone(t.spec.NodeSelector)
	t.spec.Resources = slices.Clone(t.spec.Resources)
	t.spec.Affinity = slices.Clone(t.spec.Affinity)
	t.spec.Spread = slices.Clone(t.spec.Spread)
	t.spec.Tolerations = slices.Clone(t.spec.Tolerations)
	change(&t.spec)
	fresh, err := m.newClass(c.namespace, c.labels, t)
	if err != nil {
		return nil, err
	}
	m.enroll(fresh)
	return fresh, nil
}

// propose finds the one change that all verdicts of a node may yield to. Those of a
// node's own state yield to the node; one requirement of the spec yields to the spec.
func (m *Model) propose(q *question, slot int32, found []verdict) (proposal, bool) {
	v := found[0]
	if len(found) > 1 {
		return proposal{}, false
	}
	n := &m.nodes[slot]
	switch v.code() {
	case insufficient:
		return m.smaller(q, slot, v.at())
	case selectorMismatch:
		return reselect(q.selector[v.at()], n), true
	case affinityMismatch:
		term := q.terms[v.at()]
		return drop(term.at, 3, "nodes "+term.text), true
	case taintNotTolerated:
		return tolerate(n.taints[v.at()]), true
	case notReady:
		return ofNode("node "+n.name+" recovers", 1, func(n *node) { n.ready = true }), true
	case nodeUnschedulable:
		return ofNode("node "+n.name+" is uncordoned", 2, func(n *node) { n.unschedulable = false }), true
	case nodeDraining:
		return ofNode("the drain of node "+n.name+" is taken back", 2, func(n *node) { n.drain, n.unschedulable = false, false }), true
	case spreadExceeded:
		return respread(q, slot, v.at())
	case instanceAffinity, instanceAnti:
		term := &q.near[v.at()]
		return drop(term.at, 6, "instances "+term.key.selector), true
	default:
		return proposal{}, false
	}
}

func (m *Model) smaller(q *question, slot int32, at int) (proposal, bool) {
	r, free := q.requests[at], m.available(q, slot, at)
	if free <= 0 {
		return proposal{}, false
	}
	value := candor.FormatAmount(r.name, free)
	field := "spec.resources." + r.name
	return proposal{
		FittingChange: candor.FittingChange{Change: r.name + " <= " + amountText(r.name, free), Field: field, Value: value},
		rank:          0, cost: r.amount - free, what: field,
		spec: func(s *candor.InstanceSpec) {
			for i := range s.Resources {
				if s.Resources[i].Name == r.name {
					s.Resources[i].Value = free
				}
			}
		},
	}, true
}

func reselect(want pair, n *node) proposal {
	field := "spec.nodeSelector." + want.key
	value, has := n.labels[want.key]
	change := proposal{
		FittingChange: candor.FittingChange{Change: "nodeSelector without " + want.key + "=" + want.value, Field: field},
		rank:          3, what: field,
		spec: func(s *candor.InstanceSpec) { delete(s.NodeSelector, want.key) },
	}
	if has && value != "" {
		change.Change, change.Value = "nodeSelector "+want.key+"="+value, value
		change.what += "=" + value
		change.spec = func(s *candor.InstanceSpec) { s.NodeSelector[want.key] = value }
	}
	return change
}

func drop(at, rank int, text string) proposal {
	field := "spec.affinity[" + strconv.Itoa(at) + "]"
	return proposal{
		FittingChange: candor.FittingChange{Change: "without the affinity on " + text, Field: field},
		rank:          rank, what: field,
		spec: func(s *candor.InstanceSpec) { s.Affinity = slices.Delete(s.Affinity, at, at+1) },
	}
}

func tolerate(taint candor.Taint) proposal {
	return proposal{
		FittingChange: candor.FittingChange{Change: "a toleration of " + taint.String(), Field: "spec.tolerations", Value: taint.String()},
		rank:          4, what: taint.String(),
		spec: func(s *candor.InstanceSpec) {
			s.Tolerations = append(s.Tolerations, candor.Toleration(taint))
		},
	}
}

func ofNode(change string, rank int, onto func(*node)) proposal {
	return proposal{FittingChange: candor.FittingChange{Change: change}, rank: rank, what: change, onto: onto}
}

func respread(q *question, slot int32, at int) (proposal, bool) {
	s := &q.spreads[at]
	field := fmt.Sprintf("spec.spread[%d]", s.at)
	count, in := s.tally.near(slot)
	if !in {
		return proposal{
			FittingChange: candor.FittingChange{Change: "without the spread over " + s.key.topology, Field: field},
			rank:          5, what: field, cost: 1 << 40,
			spec: func(spec *candor.InstanceSpec) { spec.Spread = slices.Delete(spec.Spread, s.at, s.at+1) },
		}, true
	}
	skew := int64(count) + s.own() - q.least[at]
	if skew > 1<<31-1 {
		return proposal{}, false
	}
	place := s.at
	return proposal{
		FittingChange: candor.FittingChange{
			Change: fmt.Sprintf("maxSkew over %s >= %d", s.key.topology, skew), Field: field + ".maxSkew", Value: strconv.FormatInt(skew, 10),
		},
		rank: 5, what: field, cost: skew,
		spec: func(spec *candor.InstanceSpec) { spec.Spread[place].MaxSkew = int32(skew) },
	}, true
}

// Impossible says whether no node of the model could ever take an instance of the
// template in that namespace, even if it were empty, ready and took instances: by
// labels, taints and size. The reasons count nodes by the first of each. A node whose
// capacity is unknown could. An unreadable template is an Error of reason INVALID.
func Impossible(m *Model, namespace string, t *candor.InstanceTemplate) (reasons []candor.ReasonCount, impossible bool, err error) {
	c, err := m.newClass(namespace, t.Labels, &template{spec: candor.InstanceSpec{InstanceTemplate: *t}})
	if err != nil {
		return nil, false, err
	}
	if len(m.order) == 0 {
		return []candor.ReasonCount{{Reason: MisfitNoNodes}}, true, nil
	}
	counts := map[string]int{}
	for _, slot := range m.order {
		v := m.never(c, slot)
		if v == 0 {
			return nil, false, nil
		}
		counts[c.reason(v)]++
	}
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		reasons = append(reasons, candor.ReasonCount{Reason: reason, Nodes: counts[reason]})
	}
	slices.SortStableFunc(reasons, func(a, b candor.ReasonCount) int {
		return cmp.Or(cmp.Compare(b.Nodes, a.Nodes), strings.Compare(a.Reason, b.Reason))
	})
	return reasons, true, nil
}

// never is the first reason that neither time nor others' leaving will change.
func (m *Model) never(c *class, slot int32) verdict {
	for _, v := range c.staticVerdicts(&m.nodes[slot], true) {
		if v.code() <= taintNotTolerated {
			return v
		}
	}
	if !m.nodes[slot].known {
		return 0
	}
	m.find(c.requests)
	for at := range c.requests {
		if c.requests[at].at == unplaced || c.requests[at].amount > m.capacity[int(slot)*m.stride+c.requests[at].at] {
			return verdictOf(insufficient, at)
		}
	}
	return 0
}
