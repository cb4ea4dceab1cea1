package scheduler

import "slices"

// undone is a change that can be taken back.
type undone struct {
	inst  *instance
	was   state
	bud   *budget
	spent []string
}

// mark is where undo goes back to.
func (m *Model) mark() int { return len(m.assumed) }

// assume changes an instance's state until undo.
func (m *Model) assume(i *instance, next state) {
	m.assumed = append(m.assumed, undone{inst: i, was: i.state})
	m.set(i, next)
}

// spend takes of a budget until undo.
func (m *Model) spend(b *budget, uids []string) {
	m.assumed = append(m.assumed, undone{bud: b, spent: b.disrupted})
	b.disrupted = append(slices.Clip(b.disrupted), uids...)
	b.allowed -= int32(len(uids))
}

// undo takes back everything since the mark, the newest first.
func (m *Model) undo(mark int) {
	for len(m.assumed) > mark {
		last := len(m.assumed) - 1
		u := m.assumed[last]
		m.assumed = m.assumed[:last]
		if u.bud != nil {
			u.bud.allowed += int32(len(u.bud.disrupted) - len(u.spent))
			u.bud.disrupted = u.spent
			continue
		}
		m.set(u.inst, u.was)
	}
}
