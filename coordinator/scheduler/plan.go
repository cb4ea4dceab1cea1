package scheduler

import (
	"cmp"
	"slices"
	"strings"

	"github.com/candor-plane/candor"
)

// Change is an object as it would be, or one that would be deleted.
type Change struct {
	Ref candor.Ref
	// Object is nil for a deletion.
	Object *candor.Object
}

// Planned is what would come of changes.
type Planned struct {
	// Token is what it was planned on: apply at its revision, and it holds.
	Token candor.Token
	// Creates and Deletes are the instances among the changes that are new, or that go.
	// Those that have a place hold it until they have ended.
	Creates, Deletes []candor.Ref
	// Displaced are instances with a place on a node that the changes drain, or taint
	// with NoExecute: they would be evicted as budgets allow.
	Displaced []Displaced
	// Placements, Preemptions and Unplaceable are what would be decided about everything
	// that waits, in order. Equal nodes take turns by UID, and what is not created yet has
	// none: it may come to another that is as good.
	Placements, Preemptions, Unplaceable []Outcome
}

// Displaced is an instance that would have to leave its node.
type Displaced struct {
	Ref    candor.Ref
	Node   string
	Reason string
}

// Plan applies changes to a copy of the model and decides everything that waits. What
// a controller would make of a changed workload is its own to say: the caller passes
// its creates and deletes as changes. Objects without a UID are taken for new ones. An
// object that cannot be read is an Error of reason INVALID.
func Plan(m *Model, changes []Change) (Planned, error) {
	fork := m.Clone()
	out := Planned{Token: m.token}
	for _, c := range changes {
		if c.Object == nil {
			out.remove(fork, c.Ref)
			continue
		}
		obj := *c.Object
		if obj.Metadata.UID == "" {
			obj.Metadata.UID = "new:" + c.Ref.String()
			obj.Metadata.CreateRevision = m.token.Revision + 1
		}
		obj.Metadata.ResourceVersion = max(obj.Metadata.ResourceVersion, m.token.Revision+1)
		_, known := fork.instances[c.Ref]
		if _, err := fork.Apply(&obj, c.Ref.Kind); err != nil {
			return Planned{}, err
		}
		if c.Ref.Kind == candor.KindInstances && !known {
			out.Creates = append(out.Creates, c.Ref)
		}
	}
	out.Displaced = displaced(m, fork)
	for _, o := range Batch(fork, fork.Pending()) {
		switch o.Decision.Verdict {
		case candor.VerdictPlaced:
			out.Placements = append(out.Placements, o)
		case candor.VerdictNominated:
			out.Preemptions = append(out.Preemptions, o)
		default:
			out.Unplaceable = append(out.Unplaceable, o)
		}
	}
	return out, nil
}

// remove ends what has a place, and forgets everything else.
func (p *Planned) remove(fork *Model, ref candor.Ref) {
	inst := fork.instances[ref]
	if inst != nil {
		p.Deletes = append(p.Deletes, ref)
	}
	if inst == nil || !inst.live() {
		fork.Remove(ref)
		return
	}
	next := inst.state
	next.ending = true
	fork.set(inst, next)
}

// displaced compares what each node lets stay, before and after.
func displaced(was, is *Model) []Displaced {
	var out []Displaced
	for _, slot := range is.order {
		for _, i := range is.nodes[slot].residents {
			reason := is.nodes[slot].drives(i.class)
			if reason == "" || i.ending {
				continue
			}
			if before, ok := was.byUID[is.nodes[slot].uid]; ok && was.nodes[before].drives(i.class) != "" {
				continue
			}
			out = append(out, Displaced{Ref: i.ref, Node: is.nodes[slot].name, Reason: reason})
		}
	}
	slices.SortFunc(out, func(a, b Displaced) int {
		return cmp.Or(strings.Compare(a.Node, b.Node), strings.Compare(a.Ref.Key(), b.Ref.Key()))
	})
	return out
}

// drives is why instances of the class may not stay on the node, or empty.
func (n *node) drives(c *class) string {
	if n.drain {
		return MisfitDraining
	}
	for _, taint := range n.taints {
		if taint.Effect == candor.NoExecute && !c.tolerates(taint) {
			return MisfitTaint
		}
	}
	return ""
}
