package scheduler

import (
	"maps"
	"slices"

	"github.com/candor-plane/candor"
)

// class is everything about an instance that its verdicts and scores depend on, but
// for its UID and its nomination. Instances of one template share theirs.
type class struct {
	key       string
	namespace string
	labels    map[string]string // without LabelNode
	template  *template

	priority int32
	preempts bool
	requests []request // by name
	selector []pair    // by key
	terms    []nodeTerm
	wishes   []nodeTerm // terms with a weight
	near     []instanceTerm
	spreads  []spreadTerm
	zones    tallyKey // of the same workload
	// wanted is the sum of the weights of all wishes.
	wanted int64

	members []*instance
	// adds are the tallies that a member counts in, shunned those of anti-affinities of
	// others that speak of members.
	adds    []*tally
	shunned []*tally
	ready   bool     // the terms know their tallies
	over    *tally   // of zones
	cells   []cell   // by slot
	weighed []weight // the resources that score
	found   bool     // every request has its place
}

type pair struct{ key, value string }

// weight is a resource that packing is scored by.
type weight struct {
	at     int
	amount int64
}

// nodeTerm is an Affinity about nodes; at is its place in the template.
type nodeTerm struct {
	at       int
	text     string
	selector candor.Selector
	anti     bool
	weight   int64
}

// instanceTerm is an Affinity about instances.
type instanceTerm struct {
	at     int
	key    tallyKey
	self   bool // it selects the class itself
	anti   bool
	weight int64
	tally  *tally
}

type spreadTerm struct {
	at       int
	key      tallyKey
	self     bool
	prefer   bool
	maxSkew  int64
	tally    *tally
	layout   uint64
	eligible []bool // domains in which a node has the labels that are asked for
}

// cell is the static verdict of a class about a version of a node, and what the class
// makes of what is held there.
type cell struct {
	version  uint64
	affinity int64 // weights of the wishes about nodes that are met
	verdict  verdict
	taints   uint8 // score of preferred taints
	// Of the node's row as of filled: the shortage by itself, and where there is none two
	// parts of the score.
	packing, balance uint8
	short            verdict
	filled           uint64
}

// classOf interns; what cannot be read is an Error of reason INVALID.
func (m *Model) classOf(namespace string, labels map[string]string, t *template) (*class, error) {
	key := classKey(namespace, labels, t)
	if c, ok := m.classes[key]; ok {
		return c, nil
	}
	c, err := m.newClass(namespace, labels, t)
	if err != nil {
		return nil, err
	}
	c.key = key
	m.classes[key] = c
	m.idle++ // until join
	m.enroll(c)
	m.hold(c)
	return c, nil
}

func classKey(namespace string, labels map[string]string, t *template) string {
	key := append(make([]byte, 0, 512), namespace...)
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if name == candor.LabelNode {
			continue
		}
		key = append(key, 0)
		key = append(key, name...)
		key = append(key, '=')
		key = append(key, labels[name]...)
	}
	key = append(key, 0, 0)
	return string(append(key, t.raw...))
}

// newClass is one that nothing counts yet.
func (m *Model) newClass(namespace string, labels map[string]string, t *template) (*class, error) {
	own := maps.Clone(labels)
	delete(own, candor.LabelNode)
	spec := &t.spec
	c := &class{
		namespace: namespace, labels: own, template: t, priority: spec.Priority, preempts: spec.Preempts,
		zones: tallyKey{namespace: namespace, selector: workloadSelector(own), topology: candor.LabelZone, counts: countsSettled},
	}
	for _, a := range spec.Resources {
		if a.Value > 0 {
			c.requests = append(c.requests, request{at: unplaced, name: a.Name, amount: a.Value})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(spec.NodeSelector)) {
		c.selector = append(c.selector, pair{key, spec.NodeSelector[key]})
	}
	for at := range spec.Affinity {
		if err := c.addAffinity(at, &spec.Affinity[at]); err != nil {
			return nil, err
		}
	}
	for at := range spec.Spread {
		if err := c.addSpread(at, &spec.Spread[at]); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// weigh finds the places of what is asked for, and what scores.
func (m *Model) weigh(c *class) {
	if c.found {
		return
	}
	c.found = m.find(c.requests)
	c.weighed = []weight{{at: cpuAt}, {at: memoryAt}}
	for _, r := range c.requests {
		if r.at == unplaced {
			continue
		}
		if r.at < firstOther {
			c.weighed[r.at].amount = r.amount
			continue
		}
		c.weighed = append(c.weighed, weight{at: r.at, amount: r.amount})
	}
}

// workloadSelector selects the instances of the same workload; of an instance that
// has none it selects nothing that exists.
func workloadSelector(labels map[string]string) string {
	if labels[candor.LabelWorkload] == "" {
		return candor.LabelWorkload + "=,!" + candor.LabelWorkload
	}
	return candor.LabelWorkload + "=" + labels[candor.LabelWorkload]
}

func (c *class) addAffinity(at int, a *candor.Affinity) error {
	text := a.Nodes
	if text == "" {
		text = a.Instances
	}
	selector, err := candor.ParseSelector(text)
	if err != nil {
		return candor.Errorf(candor.ReasonInvalid, "affinity[%d]: %v", at, err)
	}
	c.wanted += int64(a.Weight)
	if a.Nodes != "" {
		term := nodeTerm{at: at, text: text, selector: selector, anti: a.Anti, weight: int64(a.Weight)}
		if a.Weight == 0 {
			c.terms = append(c.terms, term)
			return nil
		}
		c.wishes = append(c.wishes, term)
		return nil
	}
	key := tallyKey{namespace: c.namespace, selector: text, topology: a.Topology, counts: countsLive}
	if key.topology == "" {
		key.topology = candor.LabelHost
	}
	c.near = append(c.near, instanceTerm{at: at, key: key, self: selector.Matches(c.labels), anti: a.Anti, weight: int64(a.Weight)})
	return nil
}

func (c *class) addSpread(at int, s *candor.Spread) error {
	text := s.Instances
	if text == "" {
		text = workloadSelector(c.labels)
	}
	selector, err := candor.ParseSelector(text)
	if err != nil {
		return candor.Errorf(candor.ReasonInvalid, "spread[%d]: %v", at, err)
	}
	c.spreads = append(c.spreads, spreadTerm{
		at: at, key: tallyKey{namespace: c.namespace, selector: text, topology: s.Topology, counts: countsSettled},
		self: selector.Matches(c.labels), prefer: s.Prefer, maxSkew: max(int64(s.MaxSkew), 1),
	})
	return nil
}

// bare is the class without members and without anything of its model.
func (c *class) bare() *class {
	fresh := *c
	fresh.members, fresh.adds, fresh.shunned, fresh.cells, fresh.over, fresh.ready = nil, nil, nil, nil, nil, false
	fresh.near, fresh.spreads, fresh.requests, fresh.found = slices.Clone(c.near), slices.Clone(c.spreads), slices.Clone(c.requests), false
	for i := range fresh.spreads {
		fresh.spreads[i].eligible, fresh.spreads[i].layout = nil, 0
	}
	return &fresh
}

func (m *Model) join(i *instance, c *class) {
	if len(c.members) == 0 {
		m.idle--
	}
	i.class, i.member = c, len(c.members)
	c.members = append(c.members, i)
}

func (m *Model) leave(i *instance) {
	if i.class == nil {
		return
	}
	members := i.class.members
	last := len(members) - 1
	members[i.member] = members[last]
	members[i.member].member = i.member
	members[last] = nil
	i.class.members = members[:last]
	if last == 0 {
		m.idle++
	}
	i.class = nil
}

// sweep drops classes without members, and every tally with them, once they are many:
// what is still wanted is counted again when it is.
func (m *Model) sweep() {
	if m.idle < 256 || 2*m.idle < len(m.classes) {
		return
	}
	maps.DeleteFunc(m.classes, func(_ string, c *class) bool { return len(c.members) == 0 })
	m.idle = 0
	m.tallies, m.topologies, m.templates = map[tallyKey]*tally{}, map[string]*topology{}, map[string]*template{}
	//candor:unordered each class is emptied by itself
	for _, c := range m.classes {
		c.adds, c.shunned, c.ready, c.over = nil, nil, false, nil
		m.templates[c.template.raw] = c.template
	}
	//candor:unordered tallies are sums
	for _, c := range m.classes {
		m.hold(c)
	}
}
