package limit

import "net/netip"

// origin is what is known of one address; the gate's lock guards it.
type origin struct {
	address           netip.Addr
	open              int
	full              int64 // when its bucket is full again: see rate
	accepted, refused uint64
}

// origins are the addresses that are remembered: those with something open, and
// as many others as the bound allows.
type origins struct {
	known     map[netip.Addr]*origin
	sweepAt   int
	forgotten uint64
}

func (s *origins) find(from netip.Addr, bound int, now int64) *origin {
	if o := s.known[from]; o != nil {
		return o
	}
	if len(s.known) >= max(bound, s.sweepAt) {
		s.sweep(bound, now)
	}
	o := &origin{address: from}
	s.known[from] = o
	return o
}

// sweep forgets the quiet ones, and if that leaves more than half of the bound, also
// those that came too often lately and have nothing open. Where what is open alone
// exceeds that, the next sweep comes when twice as many are known: a newcomer pays
// for few others either way.
func (s *origins) sweep(bound int, now int64) {
	s.forget(func(o *origin) bool { return o.full <= now })
	if len(s.known) > bound/2 {
		s.forget(func(*origin) bool { return true })
	}
	if s.sweepAt = 0; len(s.known) > bound/2 {
		s.sweepAt = 2 * len(s.known)
	}
}

func (s *origins) forget(may func(*origin) bool) {
	for at, o := range s.known {
		if o.open == 0 && may(o) {
			delete(s.known, at)
			s.forgotten++
		}
	}
}
