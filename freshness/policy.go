package freshness

import (
	"time"

	"github.com/candor-plane/candor"
)

// Policy is when a node calls itself behind.
type Policy struct {
	// FreshLag is how many log entries a view may miss and be FRESH.
	FreshLag uint64
	// FreshAge is how old the newest applied proof of a FRESH view may be.
	FreshAge time.Duration
	// Window is how old the newest applied proof may be before the root counts as
	// unavailable.
	Window time.Duration
}

// DefaultPolicy suits the beacon's 125 ms: four missed make a node lagging.
func DefaultPolicy() Policy {
	return Policy{FreshLag: 1024, FreshAge: 500 * time.Millisecond, Window: 3 * time.Second}
}

// Check names the first threshold that makes no sense.
func (p *Policy) Check() error {
	switch {
	case p.FreshAge <= 0:
		return candor.Errorf(candor.ReasonInvalid, "freshness policy: fresh age is %s: want more than 0", p.FreshAge)
	case p.Window < p.FreshAge:
		return candor.Errorf(candor.ReasonInvalid, "freshness policy: window is %s: want at least the fresh age, %s", p.Window, p.FreshAge)
	default:
		return nil
	}
}
