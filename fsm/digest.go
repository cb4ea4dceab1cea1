package fsm

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"
)

// Digest identifies a state: equal on all nodes at equal index. It covers
// the position, every retained version, the side tables and the counters, but
// not the cluster and history IDs nor the order of versions within a turn. It
// guards against divergence, not against forgery.
type Digest [16]byte

// IndexDigest is the digest after one entry.
type IndexDigest struct {
	Index  uint64
	Digest Digest
}

// digestsKept is how many entries back digests can be asked for.
const digestsKept = 4096

// digestRing has a slot for each of the newest entries. It grows to the slots that are
// used: the root of a short log is small.
type digestRing struct {
	ring []IndexDigest
	last uint64
}

func (r *digestRing) note(d IndexDigest) {
	slot := int(d.Index % digestsKept)
	if slot >= len(r.ring) {
		longer := make([]IndexDigest, min(max(slot+1, 2*len(r.ring), 64), digestsKept))
		copy(longer, r.ring)
		r.ring = longer
	}
	r.ring[slot], r.last = d, d.Index
}

// at is the digest after one entry, and the zero where it is not kept.
func (r *digestRing) at(index uint64) IndexDigest {
	slot := int(index % digestsKept)
	if slot >= len(r.ring) || r.ring[slot].Index != index {
		return IndexDigest{}
	}
	return r.ring[slot]
}

// digest folds the incremental sums and the small tables, in constant time but
// for the members and records.
func (s *state) digest() Digest {
	b := make([]byte, 0, 256)
	u := func(values ...uint64) {
		for _, v := range values {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
	}
	u(s.token.Term, s.token.Index, s.token.Revision, uint64(s.time), uint64(s.level), s.leaderTerm, s.floor, s.cursor)
	u(s.versions.hi, s.versions.lo, s.requests.sum.hi, s.requests.sum.lo, s.nextCascade, s.faults, s.violations, s.objects, s.retained, s.bytes)
	b = append(b, s.leaderID...)
	s.cascades.Scan(func(_ uint64, c Cascade) bool {
		b = appendCascade(b, c)
		return true
	})
	for _, m := range s.members {
		b = appendMember(b, m)
	}
	for i := range s.records {
		b = appendRecord(b, &s.records[i])
	}
	if s.accessEpoch != 0 {
		u(s.accessEpoch)
	}
	if len(s.tenures) > 0 {
		u(s.tenureSum.hi, s.tenureSum.lo)
	}
	if s.configuration.Index != 0 {
		b = appendConfiguration(b, &s.configuration)
	}
	if s.transitions.Len() > 0 {
		u(s.transitionSum.hi, s.transitionSum.lo)
	}
	if s.leases.Len() > 0 {
		u(s.leaseSum.hi, s.leaseSum.lo)
	}
	h := xxh3.Hash128(b)
	return Digest(h.Bytes())
}

func (m *Machine) noteDigest() {
	s := m.state
	d := s.digest()
	m.mu.Lock()
	m.digests.note(IndexDigest{Index: s.token.Index, Digest: d})
	m.mu.Unlock()
}

// DigestAt is the digest after one entry; false, and the zero, when it is not
// kept or not applied. Any goroutine may call it.
func (m *Machine) DigestAt(index uint64) (IndexDigest, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if index > 0 && index <= m.digests.last {
		d := m.digests.at(index)
		return d, d.Index == index
	}
	return IndexDigest{}, false
}

// Digests lists the digests that are kept from an index on, oldest first. Any
// goroutine may call it.
func (m *Machine) Digests(from uint64) []IndexDigest {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := m.digests.last
	if last >= digestsKept {
		from = max(from, last-digestsKept+1)
	}
	var out []IndexDigest
	for i := max(from, 1); i <= last; i++ {
		if d := m.digests.at(i); d.Index == i {
			out = append(out, d)
		}
	}
	return out
}
