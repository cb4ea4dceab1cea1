package allocator

import (
	"context"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
)

// Reserve makes bounds durable.
type Reserve interface {
	// Reserve returns nil once the era's bound is at least bound, in the root. An error
	// whose retry class is NEVER ends the allocator: the era is over. After any other,
	// and after one of unknown outcome, it is asked again, never for less. It is called
	// by one goroutine at a time, and ends with its context.
	Reserve(ctx context.Context, bound uint64) error
}

// Settings are what both allocators take.
type Settings struct {
	// Era is the tenure's; answers carry it.
	Era uint64
	// Start is the frontier that the era began with: nothing at or below it is handed
	// out. Bound is what is reserved for the era already, 0 for nothing.
	Start, Bound uint64
	// Ahead is how many numbers are reserved beyond what is needed now. Half of them are
	// left when the next reservation begins. 0 is the allocator's own choice. IDs double
	// it each time that callers have to wait for more, up to four million.
	Ahead uint64
	// MaxWaiting bounds the calls that wait for a reservation; 0 is 4096.
	MaxWaiting int
	// ReserveTimeout is how long one reservation may take before it is asked again; 0 is
	// two seconds.
	ReserveTimeout time.Duration
	Logger         hclog.Logger

	mostAhead uint64
	// least is how many are reserved ahead where Used is ahead of the floor by Ahead
	// already; 0: Ahead does not count from the floor.
	least uint64
}

const (
	defaultWaiting = 4096
	defaultTimeout = 2 * time.Second
	// defaultAheadIDs lasts some milliseconds at millions of IDs a second; a crash
	// leaves at most that many unused.
	defaultAheadIDs = 1 << 16
	mostAheadIDs    = 1 << 22
)

func (s Settings) checked(ahead uint64) (Settings, error) {
	switch {
	case s.Logger == nil:
		return s, candor.Errorf(candor.ReasonInvalid, "allocator: a logger is required")
	case s.Era == 0:
		return s, candor.Errorf(candor.ReasonInvalid, "allocator: an era is required: numbers are handed out under a tenure")
	case s.MaxWaiting < 0 || s.ReserveTimeout < 0:
		return s, candor.Errorf(candor.ReasonInvalid, "allocator: %d waiting calls, reservations within %s: want neither below 0", s.MaxWaiting, s.ReserveTimeout)
	}
	if s.Ahead == 0 {
		s.Ahead = ahead
	}
	if s.MaxWaiting == 0 {
		s.MaxWaiting = defaultWaiting
	}
	if s.ReserveTimeout == 0 {
		s.ReserveTimeout = defaultTimeout
	}
	return s, nil
}

// Range is Count numbers in a row that one caller has to itself.
type Range struct {
	First, Count uint64
	// Era is of the tenure that they were handed out under.
	Era uint64
}

// Last is the highest number of the range.
func (r Range) Last() uint64 { return r.First + r.Count - 1 }

// Stats are an allocator's counters since it began.
type Stats struct {
	Window Window
	// Calls were answered with Numbers in all; Waited of them found too little reserved.
	Calls, Numbers, Waited uint64
	// Waiting is how many calls wait now.
	Waiting int
	// Reservations were made durable, ReserveFailures were not as far as is known.
	Reservations, ReserveFailures uint64
	// Refused calls were degraded: the queue was full, the tenure over or not believed.
	Refused uint64
}
