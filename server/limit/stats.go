package limit

import (
	"cmp"
	"slices"

	"github.com/candor-plane/candor"
)

// Stats is what a limiter has counted since it was made, and how full it is now.
// Its parts are read one after another while requests come and go.
type Stats struct {
	Classes []ClassStats
	Watches WatchStats
	// Identities are remembered now; Forgotten were.
	Identities int
	Forgotten  uint64
}

// ClassStats are of one class.
type ClassStats struct {
	Class candor.AdmissionClass
	// InUse of the Places are taken, InUseByServers of these by servers; Waiting
	// requests want one.
	Places, InUse, InUseByServers, Waiting int
	// Entered counts the requests that got a place, Queued those that had
	// to wait for it.
	Entered, Queued uint64
	Refused         map[Cause]uint64
	// Busiest are the identities with most under way and waiting, then with most
	// that ever entered: the first few.
	Busiest []Busy
}

// WatchStats are of the watches.
type WatchStats struct {
	Open, Limit int
	Refused     map[Cause]uint64
	Busiest     []Busy
}

// Busy is one identity, or at a gate one address or the first of an IPv6 /64.
type Busy struct {
	Key              string
	InUse, Waiting   int
	Entered, Refused uint64
}

// busiest is how many identities are named.
const busiest = 5

// Stats visits every identity that is remembered, and is for diagnostics and the
// collection of metrics, not for requests.
func (l *Limiter) Stats() Stats {
	s := Stats{Classes: make([]ClassStats, classCount)}
	for i := range l.classes {
		s.Classes[i] = l.classes[i].stats()
	}
	for i := range l.table.shards {
		l.table.shards[i].addTo(&s)
	}
	l.table.each(func(id *identity) {
		s.Identities++
		for i := range id.lines {
			s.Classes[i].add(&id.lines[i])
		}
		s.Watches.add(id)
	})
	s.Watches.Open, s.Watches.Limit = int(l.watches.open.Load()), int(l.watches.max.Load())
	s.Watches.Refused = map[Cause]uint64{
		CauseWatches:         l.watches.refused[0].Load(),
		CauseIdentityWatches: l.watches.refused[1].Load(),
	}
	return s
}

func (c *class) stats() ClassStats {
	c.mu.Lock()
	waiting := c.waiting[0] + c.waiting[1]
	c.mu.Unlock()
	t := c.load()
	s := ClassStats{
		Class: c.name, Places: c.limits.Load().places,
		InUse: t.clients() + t.peers(), InUseByServers: t.peers(), Waiting: waiting,
		Queued: c.queued.Load(), Refused: make(map[Cause]uint64, causeCount-1),
	}
	for i := 1; i < causeCount; i++ {
		s.Refused[causeNames[i]] = c.refused[i].Load()
	}
	return s
}

func (s *shard) addTo(stats *Stats) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	stats.Forgotten += s.forgotten
	for i := range stats.Classes {
		stats.Classes[i].Entered += s.entered[i]
	}
}

func (s *ClassStats) add(l *line) {
	n, entered := l.load(), l.entered.Load()
	s.Entered += entered
	if entered == 0 && n == 0 && l.refused.Load() == 0 {
		return
	}
	s.Busiest = among(s.Busiest, Busy{l.identity.key, n.inUse(), n.waiting(), entered, l.refused.Load()})
}

func (s *WatchStats) add(id *identity) {
	if open := int(id.watches.Load()); open > 0 {
		s.Busiest = among(s.Busiest, Busy{Key: id.key, InUse: open})
	}
}

// among keeps the busiest few, busiest first.
func among(few []Busy, b Busy) []Busy {
	at, _ := slices.BinarySearchFunc(few, b, func(a, b Busy) int {
		return cmp.Or(
			cmp.Compare(b.InUse+b.Waiting, a.InUse+a.Waiting),
			cmp.Compare(b.Entered, a.Entered),
			cmp.Compare(b.Refused, a.Refused),
			cmp.Compare(a.Key, b.Key))
	})
	if at == busiest {
		return few
	}
	if len(few) == busiest {
		few = few[:busiest-1]
	}
	return slices.Insert(few, at, b)
}

// each visits the identities, shard by shard.
func (t *table) each(visit func(*identity)) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.RLock()
		for _, id := range s.known {
			visit(id)
		}
		s.mu.RUnlock()
	}
}
