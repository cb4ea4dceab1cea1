package limit

import (
	"math"
	"time"
)

// rate is a token bucket as virtual scheduling (GCRA, ITU-T I.371): all it
// remembers of a party is one instant, the one at which its bucket is full
// again. Instants are nanoseconds since an epoch of the owner's.
type rate struct {
	interval int64 // between two tokens; 0 for no bound
	depth    int64 // how long the bucket takes to fill
}

// newRate makes the bucket; a rate of 0 binds nothing.
func newRate(perSecond float64, burst int) rate {
	if perSecond == 0 {
		return rate{}
	}
	interval := max(1, int64(float64(time.Second)/perSecond))
	return rate{interval: interval, depth: interval * int64(max(1, burst))}
}

// take is the instant at which a bucket that was to be full at the given one is
// full after one more token, and how long that token has to be waited for.
func (r rate) take(full, now int64) (next int64, wait time.Duration) {
	next = max(full, now) + r.interval
	return next, time.Duration(max(0, next-r.depth-now))
}

// maxRate and maxBurst keep depth within an int64, also at the slowest rate.
const (
	minRate  = 1.0 / 3600
	maxRate  = float64(time.Second)
	maxBurst = 1 << 20
)

// rateFault says what is wrong with a rate, or nothing.
func rateFault(perSecond float64, burst int) string {
	switch {
	case math.IsNaN(perSecond) || perSecond != 0 && (perSecond < minRate || perSecond > maxRate):
		return "want 0 for no bound, or 1/3600 to 1e9 per second"
	case burst < 0 || burst > maxBurst:
		return "want a burst of 0 to 1048576"
	}
	return ""
}
