package scheduler

import (
	"cmp"
	"slices"

	"github.com/candor-plane/candor"
)

// MaxBatch is the most items that one placement command carries.
const MaxBatch = 256

// Batch decides instances in the order given; each sees what the earlier ones were
// given: their places, the ends of their victims, and what that took of budgets. The
// model is afterwards as it was. Instances that are not there or do not wait are
// skipped, and take no place in the batch.
func Batch(m *Model, refs []candor.Ref) []Outcome {
	mark := m.mark()
	out := make([]Outcome, 0, len(refs))
	for _, ref := range refs {
		o, err := m.decide(ref, len(out), Brief)
		if err != nil {
			continue
		}
		m.follow(&o)
		out = append(out, o)
	}
	m.undo(mark)
	return out
}

// follow assumes that the outcome comes true.
func (m *Model) follow(o *Outcome) {
	inst := m.instances[o.Ref]
	switch o.Decision.Verdict {
	case candor.VerdictPlaced:
		m.assume(inst, state{slot: m.byName[o.Decision.Node]})
	case candor.VerdictNominated:
		for _, v := range o.Victims {
			victim := m.instances[v.Ref]
			next := victim.state
			next.ending = true
			m.assume(victim, next)
		}
		for _, use := range o.Budgets {
			m.spend(m.budgets[use.Ref], use.Instances)
		}
		m.assume(inst, state{slot: nowhere, nominated: o.Decision.Node})
	default:
		if inst.nominated != "" {
			m.assume(inst, state{slot: nowhere})
		}
	}
}

// Order sorts pending instances as Batch should see them: by priority, the highest
// first, then by the revision that created them, then by key. Those that the model
// does not have come last.
func Order(m *Model, pending []candor.Ref) {
	slices.SortStableFunc(pending, func(a, b candor.Ref) int {
		x, y := m.instances[a], m.instances[b]
		if x == nil || y == nil {
			return cmp.Compare(unfit(x != nil), unfit(y != nil))
		}
		return byUrgency(x, y)
	})
}
