package monitor

import (
	"cmp"
	"slices"
	"time"

	"github.com/candor-plane/candor"
)

// Claim is something that is not as it is to be. It breaks its promise once it has lasted
// for longer than Within.
type Claim struct {
	Promise Promise
	Subject candor.Ref
	// Step tells one life of the subject, and one step of its way, from the next: the
	// time begins anew where it changes.
	Step string
	// From is the cluster time at which it began; 0 where only the look can tell.
	From   int64
	Within time.Duration
	// Message says in a sentence what does not hold, and no number that changes by
	// itself; Cause why, Owner who is to mend it, Repair the next command.
	Message, Cause, Owner, Repair string
}

// Key is what a finding is about.
type Key struct {
	Promise Promise
	Subject candor.Ref
}

// Key of the claim.
func (c *Claim) Key() Key { return Key{Promise: c.Promise, Subject: c.Subject} }

// Breach is a claim that has lasted for too long, since Since.
type Breach struct {
	Claim
	Since int64
}

// Memory is since when each claim stands. It is not safe for concurrent use.
type Memory struct {
	seen map[Key]*standing
	// resumed are claims that another holder found broken: since when.
	resumed map[Key]int64
}

type standing struct {
	step  string
	since int64
	looks int
}

// NewMemory knows what findings that are open say.
func NewMemory(open []Stored) *Memory {
	m := &Memory{seen: map[Key]*standing{}, resumed: map[Key]int64{}}
	for i := range open {
		if s := &open[i].Status; s.Open {
			m.resumed[Key{Promise: Promise(s.Promise), Subject: s.Subject}] = s.Since
		}
	}
	return m
}

// Settle takes all claims of one look and returns those that break their promise, the
// gravest and oldest first, and the cluster time at which the next does if nothing
// changes; 0 for none. What is not claimed any more is forgotten, unless it was not judged.
func (m *Memory) Settle(now int64, l *Look) (breaches []Breach, next int64) {
	claimed := make(map[Key]bool, len(l.Claims))
	for i := range l.Claims {
		c := &l.Claims[i]
		key := c.Key()
		if claimed[key] {
			continue
		}
		claimed[key] = true
		s := m.stand(c, now)
		s.looks++
		due := later(s.since, c.Within)
		// A copy may be old: what it dates back must be seen twice.
		if now >= due && (c.Within == 0 || s.looks > 1) {
			breaches = append(breaches, Breach{Claim: *c, Since: s.since})
			continue
		}
		if next == 0 || due < next {
			next = due
		}
	}
	for key := range m.seen {
		if !claimed[key] && l.Judged(key.Promise) {
			delete(m.seen, key)
		}
	}
	for key := range m.resumed {
		if l.Judged(key.Promise) {
			delete(m.resumed, key)
		}
	}
	slices.SortFunc(breaches, func(a, b Breach) int {
		if x, y := a.Promise.Safety(), b.Promise.Safety(); x != y {
			if x {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Since, b.Since), cmp.Compare(a.Promise, b.Promise), cmp.Compare(a.Subject.String(), b.Subject.String()))
	})
	return breaches, next
}

// stand is since when a claim stands.
func (m *Memory) stand(c *Claim, now int64) *standing {
	key := c.Key()
	s := m.seen[key]
	if s == nil || s.step != c.Step {
		fresh := &standing{step: c.Step, since: now}
		if at, was := m.resumed[key]; s == nil && was {
			fresh.since, fresh.looks = at, 1
		}
		s = fresh
		m.seen[key] = s
	}
	if c.From != 0 {
		s.since = min(c.From, now)
	}
	return s
}

// later is an instant after another, and stops at the end of time.
func later(at int64, by time.Duration) int64 {
	if sum := at + int64(by); sum >= at {
		return sum
	}
	return 1<<63 - 1
}
