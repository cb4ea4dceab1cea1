package scheduler

import (
	"cmp"
	"slices"
	"strings"

	"github.com/candor-plane/candor"
)

// Victim is an instance that has to go, at the version that was judged.
type Victim struct {
	Ref      candor.Ref
	UID      string
	Revision uint64
	Priority int32
}

// BudgetUse is what evicting the victims takes of one budget, at the version that was
// judged: one of allowed for each.
type BudgetUse struct {
	Ref       candor.Ref
	UID       string
	Revision  uint64
	Instances []string // UIDs
	// Status is the budget's afterwards: after the earlier items of the batch, too.
	Status candor.DisruptionBudgetStatus
}

// harm is what making one node free would do.
type harm struct {
	slot    int32
	victims []*instance
	highest int32 // priority; the least of all where nobody is harmed
	kept    bool  // it is nominated already
}

// preempt nominates the node that fits after the least harm: where nobody has to go
// but what is ending, the nominated one first; else where the most important victim is
// the least important, then with the fewest victims, then by turn. No budget is ever
// violated. Instances of the same node are asked back in two orders (by priority; and
// those in budgets first), so a set of victims that neither order finds is missed.
func (m *Model) preempt(q *question, out *Outcome) {
	budgets := m.budgetsOf()
	var best *harm
	for _, slot := range m.order {
		if m.static(q.class, slot).verdict != 0 || !m.holdsEver(q, slot) {
			continue
		}
		if h := m.harmOf(q, slot, budgets); h != nil && (best == nil || m.compareHarm(q, h, best) < 0) {
			best = h
		}
	}
	m.prepare(q, q.class, q.inst) // the minima, as they are without anything undone
	q.rescale()
	if best == nil {
		return
	}
	n := &m.nodes[best.slot]
	d := &out.Decision
	d.Verdict, d.Node, out.NodeUID = candor.VerdictNominated, n.name, n.uid
	for _, v := range best.victims {
		out.Victims = append(out.Victims, Victim{Ref: v.ref, UID: v.uid, Revision: v.revision, Priority: v.class.priority})
		d.Victims = append(d.Victims, v.ref.Key())
	}
	for _, b := range budgets {
		use := BudgetUse{Ref: b.ref, UID: b.uid, Revision: b.revision}
		for _, v := range best.victims {
			if b.covers(v) {
				use.Instances = append(use.Instances, v.uid)
			}
		}
		if len(use.Instances) > 0 {
			use.Status = b.after(use.Instances)
			out.Budgets = append(out.Budgets, use)
		}
	}
}

// holdsEver says whether the node has the capacity if nothing were there.
func (m *Model) holdsEver(q *question, slot int32) bool {
	row := m.capacity[int(slot)*m.stride:][:m.stride]
	for i := range q.requests {
		if q.requests[i].at == unplaced || q.requests[i].amount > row[q.requests[i].at] {
			return false
		}
	}
	return true
}

// harmOf finds a minimal set of victims on a node, or nil.
func (m *Model) harmOf(q *question, slot int32, budgets []*budget) *harm {
	var ending, less []*instance
	for _, r := range m.nodes[slot].residents {
		switch {
		case r.ending:
			ending = append(ending, r)
		case r.class.priority < q.priority:
			less = append(less, r)
		}
	}
	if len(ending)+len(less) == 0 {
		return nil
	}
	mark := m.mark()
	defer m.undo(mark)
	for _, r := range ending {
		m.assume(r, state{slot: nowhere, ended: true})
	}
	if m.fitsNow(q, slot) {
		return &harm{slot: slot, highest: -1 << 31, kept: slot == q.nominated}
	}
	emptied := m.mark()
	for _, order := range []func(a, b *instance) int{byImportance, protectedFirst(budgets)} {
		slices.SortFunc(less, order)
		victims := m.victims(q, slot, less)
		m.undo(emptied)
		if victims != nil && respected(budgets, victims) {
			slices.SortFunc(victims, func(a, b *instance) int { return byImportance(b, a) })
			highest := victims[len(victims)-1].class.priority
			return &harm{slot: slot, victims: victims, highest: highest, kept: slot == q.nominated}
		}
	}
	return nil
}

// victims empties the node of less, and asks back one by one who still fits beside
// the instance; nil when it does not fit even then.
func (m *Model) victims(q *question, slot int32, less []*instance) []*instance {
	for _, r := range less {
		m.assume(r, state{slot: nowhere, ended: true})
	}
	if !m.fitsNow(q, slot) {
		return nil
	}
	var victims []*instance
	for _, r := range less {
		before := m.mark()
		m.assume(r, state{slot: slot})
		if !m.fitsNow(q, slot) {
			m.undo(before)
			victims = append(victims, r)
		}
	}
	return victims
}

// fitsNow asks again after counts were changed.
func (m *Model) fitsNow(q *question, slot int32) bool {
	for i := range q.spreads {
		q.least[i] = q.spreads[i].least()
	}
	return m.dynamic(q, slot, m.static(q.class, slot)) == 0
}

// byImportance: who is asked back first. The older of equals stays.
func byImportance(a, b *instance) int {
	return cmp.Or(
		cmp.Compare(b.class.priority, a.class.priority),
		cmp.Compare(a.created, b.created),
		strings.Compare(a.ref.Key(), b.ref.Key()),
	)
}

func protectedFirst(budgets []*budget) func(a, b *instance) int {
	unprotected := func(i *instance) int {
		if slices.ContainsFunc(budgets, func(b *budget) bool { return b.covers(i) }) {
			return 0
		}
		return 1
	}
	return func(a, b *instance) int {
		return cmp.Or(cmp.Compare(unprotected(a), unprotected(b)), byImportance(a, b))
	}
}

// respected says whether every budget allows that all of them go.
func respected(budgets []*budget, victims []*instance) bool {
	for _, b := range budgets {
		left := b.allowed
		for _, v := range victims {
			if b.covers(v) {
				left--
			}
		}
		if left < 0 {
			return false
		}
	}
	return true
}

func (m *Model) compareHarm(q *question, a, b *harm) int {
	kept := func(h *harm) int {
		if h.kept {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(min(len(a.victims), 1), min(len(b.victims), 1)),
		cmp.Compare(kept(a), kept(b)),
		cmp.Compare(a.highest, b.highest),
		cmp.Compare(len(a.victims), len(b.victims)),
		cmp.Compare(turn(q.inst.hash, m.hot[a.slot].hash), turn(q.inst.hash, m.hot[b.slot].hash)),
	)
}
