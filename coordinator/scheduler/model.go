package scheduler

import (
	"maps"
	"slices"

	"github.com/candor-plane/candor"
)

// Model is the state that is decided on: nodes, instances that are pending or live,
// and disruption budgets, at a token. Make one with NewModel; Clone makes an
// independent copy. Even Decide fills caches, so one goroutine uses a Model at a time.
type Model struct {
	token candor.Token

	ledger
	nodes  []node
	hot    []hot
	vacant []int32
	byUID  map[string]int32
	byName map[string]int32 // of nodes that are present
	order  []int32          // present ones, by name
	// layout changes with labels and presence of nodes; stamp is drawn per node version.
	layout, stamp uint64
	// roster is a hash of the present nodes, right for rosterAt.
	roster, rosterAt uint64

	instances   map[candor.Ref]*instance
	nominations map[string][]*instance // pending ones, by the name of the node
	pending     map[*instance]struct{}

	templates  map[string]*template
	classes    map[string]*class
	idle       int // classes without members
	tallies    map[tallyKey]*tally
	topologies map[string]*topology

	budgets map[candor.Ref]*budget

	assumed  []undone
	question question // scratch of Decide
	survey   survey
}

// NewModel returns an empty model.
func NewModel() *Model {
	return &Model{
		ledger: newLedger(),
		byUID:  map[string]int32{}, byName: map[string]int32{},
		instances: map[candor.Ref]*instance{}, nominations: map[string][]*instance{}, pending: map[*instance]struct{}{},
		templates: map[string]*template{}, classes: map[string]*class{}, tallies: map[tallyKey]*tally{}, topologies: map[string]*topology{},
		budgets: map[candor.Ref]*budget{},
	}
}

// Token is the position that the model stands at, as Advance said.
func (m *Model) Token() candor.Token { return m.token }

// Advance says that everything up to the token is applied.
func (m *Model) Advance(token candor.Token) { m.token = token }

// Apply takes over a version of an object: of a node, an instance or a disruption
// budget; other kinds are ignored. The order of application does not matter: an older
// version of a name never replaces a newer one. obj is not kept. The event says what
// the change may help with, for a Queue. An object that cannot be read is an Error
// of reason INVALID, and changes nothing.
func (m *Model) Apply(obj *candor.Object, kind candor.KindName) (Event, error) {
	ref := candor.Ref{Kind: kind, Namespace: obj.Metadata.Namespace, Name: obj.Metadata.Name}
	switch kind {
	case candor.KindNodes:
		helps, err := m.applyNode(obj)
		return Event{Ref: ref, Node: ref.Name, Helps: helps}, err
	case candor.KindInstances:
		return m.applyInstance(ref, obj, nil)
	case candor.KindDisruptionBudgets:
		helps, err := m.applyBudget(ref, obj)
		return Event{Ref: ref, Helps: helps}, err
	default:
		return Event{Ref: ref}, nil
	}
}

// Remove forgets an object that is gone.
func (m *Model) Remove(ref candor.Ref) Event {
	switch ref.Kind {
	case candor.KindNodes:
		return Event{Ref: ref, Node: ref.Name, Helps: m.removeNode(ref.Name)}
	case candor.KindInstances:
		return m.removeInstance(ref)
	case candor.KindDisruptionBudgets:
		if _, ok := m.budgets[ref]; ok {
			delete(m.budgets, ref)
			return Event{Ref: ref, Helps: HelpsBudgets}
		}
		return Event{Ref: ref}
	default:
		return Event{Ref: ref}
	}
}

// Nodes counts those that are present.
func (m *Model) Nodes() int { return len(m.order) }

// Pending are the instances without a place that are not ending, in the order in
// which they are decided.
func (m *Model) Pending() []candor.Ref {
	out := make([]*instance, 0, len(m.pending))
	//candor:unordered sorted below, by a total order
	for i := range m.pending {
		out = append(out, i)
	}
	slices.SortFunc(out, byUrgency)
	refs := make([]candor.Ref, len(out))
	for i, inst := range out {
		refs[i] = inst.ref
	}
	return refs
}

// Clone is an independent copy. It leaves caches behind, which fill again.
func (m *Model) Clone() *Model {
	c := NewModel()
	c.token, c.ledger, c.idle = m.token, m.clone(), m.idle
	c.nodes, c.hot, c.vacant, c.order = slices.Clone(m.nodes), slices.Clone(m.hot), slices.Clone(m.vacant), slices.Clone(m.order)
	c.byUID, c.byName, c.layout, c.stamp = maps.Clone(m.byUID), maps.Clone(m.byName), m.layout, m.stamp
	for i := range c.nodes {
		c.nodes[i].residents = slices.Clone(c.nodes[i].residents)
	}
	maps.Copy(c.templates, m.templates)
	renamed := make(map[*class]*class, len(m.classes))
	//candor:unordered each entry is copied by itself
	for key, old := range m.classes {
		fresh := old.bare()
		renamed[old], c.classes[key] = fresh, fresh
	}
	moved := make(map[*instance]*instance, len(m.instances))
	//candor:unordered each entry is copied by itself
	for ref, old := range m.instances {
		fresh := *old
		fresh.class = renamed[old.class]
		fresh.class.members = append(fresh.class.members, nil)
		moved[old], c.instances[ref] = &fresh, &fresh
	}
	//candor:unordered each entry keeps its place among its class's members
	for old, fresh := range moved {
		fresh.class.members[old.member] = fresh
	}
	for i := range c.nodes {
		for at, r := range c.nodes[i].residents {
			c.nodes[i].residents[at] = moved[r]
		}
	}
	//candor:unordered each entry is copied by itself
	for name, list := range m.nominations {
		for _, i := range list {
			c.nominations[name] = append(c.nominations[name], moved[i])
		}
	}
	//candor:unordered each entry is copied by itself
	for i := range m.pending {
		c.pending[moved[i]] = struct{}{}
	}
	//candor:unordered each entry is copied by itself
	for ref, b := range m.budgets {
		fresh := *b
		c.budgets[ref] = &fresh
	}
	//candor:unordered each class is enrolled by itself
	for _, cl := range c.classes {
		c.hold(cl)
	}
	return c
}
