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

type digestRing struct {
	ring [digestsKept]IndexDigest
	last uint64
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
	h := xxh3.Hash128(b)
	return Digest(h.Bytes())
}

func (m *Machine) noteDigest() {
	s := m.state
	d := s.digest()
	m.mu.Lock()
	m.digests.ring[s.token.Index%digestsKept] = IndexDigest{Index: s.token.Index, Digest: d}
	m.digests.last = s.token.Index
	m.mu.Unlock()
}

// DigestAt is the digest after one entry; false, and the zero, when it is not
// kept or not applied. Any goroutine may call it.
func (m *Machine) DigestAt(index uint64) (IndexDigest, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if d := m.digests.ring[index%digestsKept]; index > 0 && index <= m.digests.last && d.Index == index {
		return d, true
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
		if d := m.digests.ring[i%digestsKept]; d.Index == i {
			out = append(out, d)
		}
	}
	return out
}
