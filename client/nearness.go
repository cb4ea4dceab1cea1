package client

import (
	"sync/atomic"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
)

// rank is how well a node can serve a read that any may serve, best first.
type rank uint8

const (
	fit rank = iota
	// behind: it lags, or is about to leave.
	behind
	// cutOff: it cannot prove anything now, or its view is far from the root.
	cutOff
	// unfit: it must not be relied on, or has no view.
	unfit
	// unconnected: nothing is known but that no connection is ready.
	unconnected
	// failing: it did not answer lately.
	failing
)

const (
	// newsLasts is how long what a node said of itself is believed.
	newsLasts = 5 * time.Second
	// retryBad and retryFar are how often one call goes to a node that is worse
	// than another, or farther away, to see whether it still is.
	retryBad = time.Second
	retryFar = 10 * time.Second
	// newsEvery bounds how often the same news is written down.
	newsEvery = 100 * time.Millisecond
	// nearFactor and nearSlack: nodes that answer in less than the fastest's time
	// times the one, plus the other, count as equally near.
	nearFactor = 2
	nearSlack  = 500 * time.Microsecond
)

// nearness is what is known of the node at an endpoint, for the choice among
// several. Times are elapsed ones, in nanoseconds. All of it may be used
// concurrently; what two writers lose to one another is made up by the next.
type nearness struct {
	// round is a moving average of how long a read takes there; 0: not known.
	round atomic.Int64
	// measured is when that was last known to hold, or someone went to see.
	measured atomic.Int64
	// news is a rank in the lowest 3 bits, and above them when it was told.
	news atomic.Int64
	// busy is how many reads are under way there.
	busy atomic.Int32
}

// rankOf is what a node's own word on its condition is worth. A mode that is
// not told is no bad sign.
func rankOf(mode candor.DegradedMode, reason string, catchUp candor.CatchUpState) rank {
	switch {
	case mode == candor.ModeViewOnly, catchUp == candor.CatchUpUnavailable:
		return unfit
	case mode == candor.ModeRootUnavailable, catchUp == candor.CatchUpBootstrapRequired, catchUp == candor.CatchUpRecovering:
		return cutOff
	case mode == candor.ModeRootLagging, catchUp == candor.CatchUpLagging,
		mode == candor.ModeCoordinatorDegraded && reason == string(freshness.ReasonDraining):
		return behind
	default:
		return fit
	}
}

// rankOfRefusal is what a refusal says of the node, whatever its witness does.
func rankOfRefusal(e *candor.Error) rank {
	told := fit
	if w := e.Witness; w != nil {
		told = rankOf(w.Mode, w.DegradedReason, w.CatchUp)
	}
	switch e.Reason {
	case candor.ReasonViewOnly, candor.ReasonViewUnavailable, candor.ReasonShuttingDown:
		return max(told, unfit)
	case candor.ReasonRootUnavailable, candor.ReasonRecovering, candor.ReasonBootstrapRequired:
		return max(told, cutOff)
	case candor.ReasonStalenessExceeded, candor.ReasonRootLagExceeded, candor.ReasonRootTokenNotReached, candor.ReasonQueueSaturated:
		return max(told, behind)
	default:
		return told
	}
}

// tell takes note of a rank.
func (n *nearness) tell(now int64, r rank) {
	old := n.news.Load()
	if rank(old&7) == r && now-old>>3 < int64(newsEvery) {
		return
	}
	n.news.Store(now<<3 | int64(r))
}

// rank is the one told last, unless that was too long ago.
func (n *nearness) rank(now int64) rank {
	news := n.news.Load()
	if news&7 == 0 || now-news>>3 > int64(newsLasts) {
		return fit
	}
	return rank(news & 7)
}

// measure takes note of how long a read took.
func (n *nearness) measure(now int64, took time.Duration) {
	sample := max(1, int64(took))
	if old := n.round.Load(); old != 0 {
		sample = max(1, old+(sample-old)/8)
	}
	n.round.Store(sample)
	if now-n.measured.Load() > int64(time.Second) {
		n.measured.Store(now)
	}
}

// retry claims the call that goes to see whether a node of this rank or round
// trip is still worse than others: at most one at a time.
func (n *nearness) retry(now int64, bad bool) bool {
	if bad {
		news := n.news.Load()
		return now-news>>3 > int64(retryBad) && n.news.CompareAndSwap(news, now<<3|news&7)
	}
	at := n.measured.Load()
	return now-at > int64(retryFar) && n.measured.CompareAndSwap(at, now)
}
