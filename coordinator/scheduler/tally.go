package scheduler

import (
	"slices"

	"github.com/candor-plane/candor"
)

// counting is what a tally counts.
type counting uint8

const (
	// countsSettled: selected instances that live and are not ending.
	countsSettled counting = iota
	// countsLive: selected instances that live.
	countsLive
	// countsHolders: live instances that require that no selected one is near.
	countsHolders
)

type tallyKey struct {
	namespace string
	selector  string
	topology  string
	counts    counting
}

// tally counts live instances per node, and over the domains of a topology.
type tally struct {
	key      tallyKey
	selector candor.Selector
	topology *topology
	nodes    []int32 // by slot, also of absent nodes
	// The rest is right for layout only.
	layout  uint64
	domains []int32
	total   int32
}

// topology gives each present node its domain: the value of a label.
type topology struct {
	label  string
	layout uint64
	domain []int32 // by slot; nowhere without the label
	values []string
}

func (t *topology) of(slot int32) int32 {
	if int(slot) >= len(t.domain) {
		return nowhere
	}
	return t.domain[slot]
}

// tallyOf finds or makes a tally, and brings it up to the layout.
func (m *Model) tallyOf(key tallyKey) *tally {
	t, ok := m.tallies[key]
	if !ok {
		t = m.newTally(key)
	}
	m.settle(t)
	return t
}

func (m *Model) newTally(key tallyKey) *tally {
	selector, err := candor.ParseSelector(key.selector)
	if err != nil {
		panic("scheduler: a tally of a selector that its class refused: " + key.selector)
	}
	t := &tally{key: key, selector: selector, topology: m.topologyOf(key.topology), nodes: make([]int32, len(m.nodes)), layout: m.layout - 1}
	m.tallies[key] = t
	//candor:unordered sums, and lists that are only summed
	for _, c := range m.classes {
		m.relate(t, c)
	}
	return t
}

// relate makes the members of c count in t, where they do.
func (m *Model) relate(t *tally, c *class) {
	if t.key.namespace != c.namespace {
		return
	}
	selected := t.selector.Matches(c.labels)
	if t.key.counts == countsHolders {
		if selected {
			c.shunned = append(c.shunned, t)
		}
		if !slices.ContainsFunc(c.near, func(n instanceTerm) bool { return n.holds() == t.key && n.anti && n.weight == 0 }) {
			return
		}
		selected = true
	}
	if !selected {
		return
	}
	c.adds = append(c.adds, t)
	for _, i := range c.members {
		if i.live() {
			t.add(m, i, 1)
		}
	}
}

// enroll relates a new class to the tallies that there are.
func (m *Model) enroll(c *class) {
	//candor:unordered sums, and lists that are only summed
	for _, t := range m.tallies {
		m.relate(t, c)
	}
}

// hold makes sure that what the class keeps away from itself is counted.
func (m *Model) hold(c *class) {
	for i := range c.near {
		if n := &c.near[i]; n.anti && n.weight == 0 {
			m.tallyOf(n.holds())
		}
	}
}

// holds is the key under which holders of the term are counted.
func (n *instanceTerm) holds() tallyKey {
	key := n.key
	key.counts = countsHolders
	return key
}

func (m *Model) topologyOf(label string) *topology {
	t, ok := m.topologies[label]
	if !ok {
		t = &topology{label: label, layout: m.layout - 1}
		m.topologies[label] = t
	}
	if t.layout == m.layout {
		return t
	}
	t.layout = m.layout
	t.domain, t.values = make([]int32, len(m.nodes)), t.values[:0]
	for i := range t.domain {
		t.domain[i] = nowhere
	}
	seen := map[string]int32{}
	for _, slot := range m.order {
		value, ok := m.nodes[slot].labels[label]
		if !ok {
			continue
		}
		at, ok := seen[value]
		if !ok {
			at = int32(len(t.values))
			seen[value] = at
			t.values = append(t.values, value)
		}
		t.domain[slot] = at
	}
	return t
}

// settle sums the domains again where the layout has changed.
func (m *Model) settle(t *tally) {
	if t.layout == m.layout {
		return
	}
	t.topology = m.topologyOf(t.key.topology)
	t.layout, t.total = m.layout, 0
	t.domains = make([]int32, len(t.topology.values))
	for slot, n := range t.nodes {
		if d := t.topology.of(int32(slot)); d >= 0 {
			t.domains[d] += n
			t.total += n
		}
	}
}

// count adds an instance, or takes it away.
func (m *Model) count(i *instance, delta int32) {
	for _, t := range i.class.adds {
		t.add(m, i, delta)
	}
}

func (t *tally) add(m *Model, i *instance, delta int32) {
	if t.key.counts == countsSettled && i.ending {
		return
	}
	for int(i.slot) >= len(t.nodes) {
		t.nodes = append(t.nodes, make([]int32, len(m.nodes)-len(t.nodes))...)
	}
	t.nodes[i.slot] += delta
	if t.layout != m.layout {
		return
	}
	if d := t.topology.of(i.slot); d >= 0 {
		t.domains[d] += delta
		t.total += delta
	}
}

// near is how many are in the domain of a slot; inDomain is false without the label.
func (t *tally) near(slot int32) (count int32, inDomain bool) {
	d := t.topology.of(slot)
	if d < 0 {
		return 0, false
	}
	return t.domains[d], true
}
