package replica

import (
	"time"

	"github.com/candor-plane/candor/internal/failpoint"
)

// Clock tells the time to a replica. Boot measures durations and goes on while
// the machine is suspended; Wall is for people and decides nothing.
type Clock interface {
	Boot() time.Duration
	Wall() time.Time
}

// SystemClock is the machine's.
type SystemClock struct{}

// Wall is the system's wall clock, in a build with failpoints as far from it as a test
// says.
func (SystemClock) Wall() time.Time {
	if failpoint.Enabled {
		return time.Now().Add(failpoint.Shift()).Round(0)
	}
	return time.Now()
}

// RuntimeClock is package time's, which testing/synctest replaces. Where the
// machine may be suspended, SystemClock is the one to use.
func RuntimeClock() Clock { return runtimeClock{start: time.Now()} }

type runtimeClock struct{ start time.Time }

// Boot starts at 1: a cluster time of 0 means that there is none.
func (c runtimeClock) Boot() time.Duration { return time.Since(c.start) + 1 }
func (c runtimeClock) Wall() time.Time     { return time.Now() }
