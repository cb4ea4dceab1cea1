package freshness

import (
	"time"

	"github.com/candor-plane/candor"
)

// DefaultMaxStaleness bounds a BOUNDED read that names no bound.
const DefaultMaxStaleness = time.Second

// Request is what a read asks for.
type Request struct {
	Class candor.Freshness
	// Required is a token that the view must cover; zero for none.
	Required candor.Token
	// MaxLag, in log entries, and MaxStaleness bound BOUNDED reads; MaxLag is nil
	// for no bound.
	MaxLag       *uint64
	MaxStaleness time.Duration
	// FollowerReadIndex lets a follower serve STRONG.
	FollowerReadIndex bool
}

// RequestOf completes what a reader asked for with the defaults. It refuses a
// class that there is not and a bound that nothing can keep.
func RequestOf(q *candor.ReadRequest) (Request, error) {
	r := Request{Class: q.Freshness, Required: q.Required.Token, MaxLag: q.MaxLag, MaxStaleness: DefaultMaxStaleness, FollowerReadIndex: q.FollowerReadIndex}
	switch r.Class {
	case "":
		r.Class = candor.FreshnessStrong
	case candor.FreshnessStrong, candor.FreshnessBounded, candor.FreshnessBestEffort:
	default:
		return r, candor.Errorf(candor.ReasonInvalid, "freshness %q: want STRONG, BOUNDED or BEST_EFFORT", q.Freshness)
	}
	if q.MaxStaleness != nil {
		r.MaxStaleness = *q.MaxStaleness
	}
	if r.MaxStaleness <= 0 {
		return r, candor.Errorf(candor.ReasonInvalid, "max_staleness %s: want more than 0; STRONG reads miss nothing", r.MaxStaleness)
	}
	return r, nil
}
