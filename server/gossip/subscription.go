package gossip

import "sync"

// Subscription delivers events to one reader. It never holds up gossip: when
// its buffer is full, events are dropped, and the next one says how many.
type Subscription struct {
	events chan Event
	owner  *subscriptions
	missed uint64
}

// C carries the events. It is closed by Close, or when gossip ends.
func (s *Subscription) C() <-chan Event { return s.events }

// Close ends the subscription; it may be called more than once.
func (s *Subscription) Close() { s.owner.remove(s) }

// subscriptions is the set of readers. Sending and closing share a lock, and
// sending never waits.
type subscriptions struct {
	mu     sync.Mutex
	open   map[*Subscription]struct{}
	drops  uint64
	closed bool
}

func newSubscriptions() *subscriptions {
	return &subscriptions{open: make(map[*Subscription]struct{})}
}

func (s *subscriptions) add(buffer int) *Subscription {
	sub := &Subscription{events: make(chan Event, max(buffer, 1)), owner: s}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		close(sub.events)
		return sub
	}
	s.open[sub] = struct{}{}
	return sub
}

func (s *subscriptions) remove(sub *Subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.open[sub]; !ok {
		return
	}
	delete(s.open, sub)
	close(sub.events)
}

func (s *subscriptions) send(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sub := range s.open {
		e.Missed = sub.missed
		select {
		case sub.events <- e:
			sub.missed = 0
		default:
			sub.missed++
			s.drops++
		}
	}
}

func (s *subscriptions) dropped() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.drops
}

func (s *subscriptions) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for sub := range s.open {
		delete(s.open, sub)
		close(sub.events)
	}
}
