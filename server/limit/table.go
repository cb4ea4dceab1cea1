package limit

import (
	"hash/maphash"
	"strings"
	"sync"
)

// shardCount spreads the identities over locks, so that cores which serve
// different parties do not meet.
const shardCount = 64

// table is the identities that are remembered.
type table struct {
	seed   maphash.Seed
	shards [shardCount]shard
}

// shard is one part of the table. Requests read it; a party that comes for the
// first time, or is forgotten, changes it.
type shard struct {
	mu    sync.RWMutex
	known map[string]*identity
	// sweepAt is the number of identities that makes the next newcomer sweep.
	sweepAt   int
	forgotten uint64
	// entered is of the identities that were forgotten.
	entered [classCount]uint64

	_ [64]byte // shards do not share a cache line
}

func newTable() *table {
	t := &table{seed: maphash.MakeSeed()}
	for i := range t.shards {
		t.shards[i].known = map[string]*identity{}
	}
	return t
}

// try is the fast way in for a request of a party that is remembered. Unless it is
// in, the identity is pinned, or nil if it is not remembered; holds is class.try's.
// A rate is never paid here.
func (s *shard) try(key string, index int) (id *identity, in, holds bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	id = s.known[key]
	if id == nil {
		return nil, false, false
	}
	l := &id.lines[index]
	if lim := l.class.limits.Load(); !l.owesRate(lim) {
		in, holds = l.class.try(l, lim)
	}
	if !in {
		id.pins.Add(1)
	}
	return id, in, holds
}

// find is the identity of a party, pinned; nil for one that is not remembered.
func (s *shard) find(key string) *identity {
	s.mu.RLock()
	defer s.mu.RUnlock()
	id := s.known[key]
	if id != nil {
		id.pins.Add(1)
	}
	return id
}

func (t *table) shard(key string) *shard {
	return &t.shards[maphash.String(t.seed, key)%shardCount]
}

// meet remembers a party, pinned. Room for it is made of those that have nothing
// under way once the shard holds its part of the bound.
func (l *Limiter) meet(s *shard, who Who) *identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id := s.known[who.key]; id != nil {
		id.pins.Add(1)
		return id
	}
	if bound := int(l.identities.Load()) / shardCount; len(s.known) >= max(bound, s.sweepAt) {
		s.sweep(bound, l.now())
	}
	who.key = strings.Clone(who.key) // which may be a piece of a whole request
	id := newIdentity(who, &l.classes)
	id.pins.Add(1)
	s.known[who.key] = id
	return id
}

// sweep forgets whoever has nothing under way and owes nothing; if that does not
// make room, also those who owe, whose bucket is then full too soon. The next
// sweep comes when the shard has doubled, so that a newcomer pays for few others
// even while everyone has something under way.
func (s *shard) sweep(bound int, now int64) {
	s.forget(func(id *identity) bool { return !id.owes(now) })
	if len(s.known) >= bound {
		s.forget(func(*identity) bool { return true })
	}
	s.sweepAt = 2 * len(s.known)
}

func (s *shard) forget(may func(*identity) bool) {
	for key, id := range s.known {
		if id.active() || !may(id) {
			continue
		}
		for i := range id.lines {
			s.entered[i] += id.lines[i].entered.Load()
		}
		delete(s.known, key)
		s.forgotten++
	}
}
