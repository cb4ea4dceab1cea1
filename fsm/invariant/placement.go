package invariant

import (
	"bytes"
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/placement"
)

// load is what the turn adds to a node, and takes from it.
type load struct {
	node, uid   string
	plus, minus candor.Resources
}

// capacityNotExceeded sums what the turn's changes add to each node. A node of which
// nothing more is held may have less than that: its worker can only report it.
func capacityNotExceeded(t *Turn) *Violation {
	const name = "CapacityNotExceeded"
	var loads []*load
	var index map[string]*load
	at := func(p placement.Place) *load {
		l := index[p.NodeUID]
		if l == nil {
			if index == nil {
				index = map[string]*load{}
			}
			l = &load{node: p.Node, uid: p.NodeUID}
			index[p.NodeUID] = l
			loads = append(loads, l)
		}
		return l
	}
	for i := range t.Changes {
		c := &t.Changes[i]
		if c.Ref.Kind != candor.KindInstances || holdsTheSame(c.Before, c.After) {
			continue
		}
		var bad bool
		if p, needs, ok := holds(c.Before); ok && p.Live() {
			l := at(p)
			l.minus, bad = plus(l.minus, needs)
		}
		p, needs, ok := holds(c.After)
		switch {
		case !ok || bad:
			return violated(name, c.Ref, "what it holds cannot be read")
		case p.Live():
			l := at(p)
			if l.plus, bad = plus(l.plus, needs); bad {
				return violated(name, c.Ref, "it holds more than can be counted")
			}
		}
	}
	for _, l := range loads {
		if v := l.check(t, name); v != nil {
			return v
		}
	}
	return nil
}

func plus(held, more candor.Resources) (sum candor.Resources, overflows bool) {
	sum, ok := held.Plus(more)
	return sum, !ok
}

func (l *load) check(t *Turn, name string) *Violation {
	raised := l.plus.Minus(l.minus)
	if len(raised) == 0 {
		return nil
	}
	ref := candor.Ref{Kind: candor.KindNodes, Name: l.node}
	node := t.Live(ref)
	if node == nil || node.Metadata.UID != l.uid {
		return violated(name, ref, "an instance is placed on it, and it is not there")
	}
	capacity, err := placement.Capacity(node.Observed)
	if err != nil {
		return violated(name, ref, "its capacity cannot be read")
	}
	held := t.Held(l.node, l.uid)
	for _, a := range raised {
		if before := held.Get(a.Name); before > capacity.Get(a.Name)-a.Value {
			return violated(name, ref, a.Name+": "+candor.FormatAmount(a.Name, before)+" are held, "+candor.FormatAmount(a.Name, a.Value)+
				" more would be, of "+candor.FormatAmount(a.Name, capacity.Get(a.Name)))
		}
	}
	return nil
}

// holdsTheSame is true for changes that cannot change what is held, as observations.
func holdsTheSame(before, after *candor.Object) bool {
	return before != nil && after != nil && bytes.Equal(before.Status, after.Status) && bytes.Equal(before.Spec, after.Spec)
}

// holds is where an instance stands and what it asks for; nothing for none.
func holds(o *candor.Object) (p placement.Place, needs candor.Resources, ok bool) {
	if o == nil {
		return p, nil, true
	}
	if p, ok = placement.PlaceOf(o.Status); !ok || !p.Live() {
		return p, nil, ok
	}
	needs, err := placement.Needs(o.Spec)
	return p, needs, err == nil
}

func oneLivePlacementPerInstance(t *Turn) *Violation {
	for i := range t.Changes {
		c := &t.Changes[i]
		if c.Ref.Kind != candor.KindInstances || c.After == nil {
			continue
		}
		if wrong := misplaced(c); wrong != "" {
			return violated("OneLivePlacementPerInstance", c.Ref, wrong)
		}
	}
	return nil
}

func misplaced(c *Change) string {
	after, ok := placement.PlaceOf(c.After.Status)
	if !ok {
		return "its place cannot be read"
	}
	if c.After.Metadata.Labels[candor.LabelNode] != after.Node {
		return "its label " + candor.LabelNode + " is not its place"
	}
	if holdsTheSame(c.Before, c.After) {
		return ""
	}
	var before placement.Place
	if c.Before != nil {
		if before, ok = placement.PlaceOf(c.Before.Status); !ok {
			return ""
		}
	}
	switch {
	case !after.Consistent():
		return "it is " + string(after.Phase) + ", and its place is " + placeWord(after.Node)
	case before.Placed() && (after.Node != before.Node || after.NodeUID != before.NodeUID):
		return "it was placed on " + before.Node + " for good, and is now on " + placeWord(after.Node)
	case !before.Placed() && after.Placed() && c.Allowed&SectionPlace == 0:
		return "its place is not the placing turn's"
	case before.Phase.Ended() && after.Phase != before.Phase:
		return "it ended as " + string(before.Phase) + ", and is now " + string(after.Phase)
	case before.Live() && after.Live() && !bytes.Equal(c.Before.Spec, c.After.Spec) && !sameNeeds(c.Before, c.After):
		return "what it holds changes while it is there"
	default:
		return ""
	}
}

func sameNeeds(before, after *candor.Object) bool {
	b, bad := placement.Needs(before.Spec)
	a, worse := placement.Needs(after.Spec)
	return bad == nil && worse == nil && slices.Equal(b, a)
}

func placeWord(node string) string {
	if node == "" {
		return "none"
	}
	return node
}
