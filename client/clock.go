package client

import (
	"math"
	"sync/atomic"
	"time"
)

// clock estimates cluster time: the highest told by a witness, carried on by
// the local monotonic clock. The estimate may run ahead (cluster time stands
// still without a leader) and may be behind where the cluster was idle until
// now; a write that is refused for that is stamped again (see write).
type clock struct {
	base   time.Time
	offset atomic.Int64 // cluster time minus local time since base
}

const unknownOffset = math.MinInt64

func (k *clock) start() {
	k.base = time.Now()
	k.offset.Store(unknownOffset)
}

// elapsed is local monotonic time since start, in nanoseconds.
func (k *clock) elapsed() int64 { return int64(time.Since(k.base)) }

// observe takes note of a witness's cluster time; 0 is not known.
func (k *clock) observe(clusterTime int64) {
	if clusterTime <= 0 {
		return
	}
	offset := clusterTime - k.elapsed()
	for {
		known := k.offset.Load()
		if offset <= known || k.offset.CompareAndSwap(known, offset) {
			return
		}
	}
}

func (k *clock) known() bool { return k.offset.Load() != unknownOffset }

// after estimates the cluster time in d from now. Where nothing is known yet
// cluster time counts from this client's start.
func (k *clock) after(d time.Duration) int64 {
	offset := k.offset.Load()
	if offset == unknownOffset {
		offset = 0
	}
	return offset + k.elapsed() + int64(d)
}
