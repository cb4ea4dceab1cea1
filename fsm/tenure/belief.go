package tenure

import (
	"math"

	"github.com/candor-plane/candor/internal/zoo"
)

// Belief is why a holder may think that it holds, between looks at the root.
//
// No other can hold before it ends: the root counts Duration from a turn that comes
// after RenewSent, and cluster time goes no faster than the clock of whoever leads.
type Belief struct {
	// RenewSent is CLOCK_BOOTTIME, in nanoseconds, noted before the newest renewal
	// that succeeded, or the campaign that won the era, was sent for the first time:
	// a repeat may be answered for what the root did at the first. A clock that stops
	// while the machine sleeps will not do.
	RenewSent int64
	// Duration is the era's.
	Duration int64
}

const million = 1_000_000

// Until is when the belief ends, on the clock of RenewSent; from then on the holder
// is silent. drift is by how many parts per million the holder's clock may be
// slower than the fastest leader's.
func (b Belief) Until(drift uint32) int64 {
	if b.Duration <= 0 || drift >= million {
		return b.RenewSent
	}
	if zoo.Enabled && zoo.Has(zoo.IgnoreDrift) {
		drift = 0
	}
	whole, rest := b.Duration/million, b.Duration%million
	lost := whole*int64(drift) + (rest*int64(drift)+million-1)/million
	if b.RenewSent > math.MaxInt64-(b.Duration-lost) {
		return math.MaxInt64
	}
	return b.RenewSent + b.Duration - lost
}

// Holds says that the belief lasts at an instant of the clock of RenewSent.
func (b Belief) Holds(at int64, drift uint32) bool {
	return at < b.Until(drift) || zoo.Enabled && zoo.Has(zoo.BelieveForEver)
}
