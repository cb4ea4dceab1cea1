package fsm

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/internal/zoo"
)

// prunePerEntry bounds how many versions one entry prunes.
const prunePerEntry = 256

// unlinksKept is how large a list of cut chains is kept for the next time.
const unlinksKept = 1024

func (d *draft) compact() *candor.Error {
	s, floor := d.m.state, d.cmd.Revision
	if floor > s.token.Revision {
		return candor.Errorf(candor.ReasonInvalid, "floor %d lies above the root's revision %d", floor, s.token.Revision)
	}
	if floor <= s.floor {
		return nil
	}
	d.effects = append(d.effects, func(s *state) { s.floor = floor })
	return nil
}

// prune forgets superseded versions in revision order up to the floor, at most
// about limit of them. What is pruned is part of the state and the same on
// every replica; cutting the chains in memory may wait for a snapshot.
func (m *Machine) prune(limit int) {
	s := m.state
	floor := s.floor
	if zoo.Enabled && zoo.Has(zoo.FloorTooHigh) {
		floor = min(floor+1, s.token.Revision)
	}
	for s.cursor < floor && limit > 0 {
		s.cursor++
		limit--
		for v := s.history.At(s.cursor); v != nil; v = v.Sibling() {
			limit--
			m.pruneBelow(v)
		}
	}
	s.history.Forget(s.cursor)
}

// cutChains lets go of what earlier, published turns pruned, unless a snapshot
// is still being written. A reader of an older view that finds a chain cut
// therefore finds the newest view's floor above its revision.
func (m *Machine) cutChains() {
	if len(m.unlinks) == 0 || m.holds.Load() != 0 {
		return
	}
	for _, v := range m.unlinks {
		v.Unlink()
	}
	clear(m.unlinks)
	m.unlinks = m.unlinks[:0]
	if cap(m.unlinks) > unlinksKept {
		m.unlinks = nil
	}
}

// pruneBelow forgets what v replaced, and v itself when it is a deletion that
// nothing followed.
func (m *Machine) pruneBelow(v *mvcc.Version) {
	s := m.state
	k := s.kinds[v.Kind]
	if prev := v.Prev(); prev != nil {
		s.forget(k, prev)
		m.unlinks = append(m.unlinks, v)
	}
	if v.Deleted && k.head(v.Key) == v {
		k.delete(v)
		k.stale = true
		s.forget(k, v)
	}
}

func (s *state) forget(k *kind, v *mvcc.Version) {
	s.versions.remove(v.Hash(k.name))
	s.retained--
	s.bytes -= v.Size()
}
