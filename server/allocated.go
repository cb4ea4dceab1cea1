package server

import (
	"sync"

	"github.com/candor-plane/candor/coordinator/allocator"
)

// allocated is the account of the numbers of one duty that this server handed out, over
// all eras that it held since it started.
type allocated struct {
	mu   sync.Mutex
	past allocator.Stats
	now  func() allocator.Stats // of the era that it holds; nil for none
}

// begin follows an allocator, until end.
func (a *allocated) begin(stats func() allocator.Stats) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now = stats
}

func (a *allocated) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.past = a.sum()
	a.now = nil
}

// total is what was counted, and what waits now.
func (a *allocated) total() allocator.Stats {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sum()
}

func (a *allocated) sum() allocator.Stats {
	s := a.past
	s.Window, s.Waiting = allocator.Window{}, 0
	if a.now == nil {
		return s
	}
	n := a.now()
	s.Window, s.Waiting = n.Window, n.Waiting
	s.Calls += n.Calls
	s.Numbers += n.Numbers
	s.Waited += n.Waited
	s.Reservations += n.Reservations
	s.ReserveFailures += n.ReserveFailures
	s.Refused += n.Refused
	return s
}
