// Package histogram counts durations in buckets whose width is a fixed share of
// their value, so that a high quantile of millions of samples costs a few
// kilobytes and no sort.
//
// It guarantees that a reported quantile is within one part in 128 of a recorded
// value, and that the extremes are exact. It refuses nothing: durations below
// zero count as zero and those past the range count in the last bucket. The load
// loops call it, one histogram to a goroutine, and merge at the end.
package histogram

import (
	"math/bits"
	"time"
)

const (
	// linearBits is the size of the exact range: values under 2^linearBits
	// nanoseconds have a bucket each, and every later octave has half as many.
	linearBits = 7
	// rangeBits bounds the recorded value to 2^rangeBits nanoseconds, 18 minutes.
	rangeBits = 40

	half    = 1 << (linearBits - 1)
	buckets = (rangeBits-linearBits)*half + 1<<linearBits
)

// Histogram is a set of counted durations. The zero value is empty and ready.
// It is not safe for concurrent use.
type Histogram struct {
	counts [buckets]uint32
	total  uint64
	least  time.Duration
	most   time.Duration
}

// Record counts one duration.
func (h *Histogram) Record(d time.Duration) {
	if d < 0 {
		d = 0
	}
	if h.total == 0 || d < h.least {
		h.least = d
	}
	if d > h.most {
		h.most = d
	}
	h.total++
	h.counts[bucket(d)]++
}

// Merge adds every duration of other to h.
func (h *Histogram) Merge(other *Histogram) {
	if other.total == 0 {
		return
	}
	if h.total == 0 || other.least < h.least {
		h.least = other.least
	}
	h.most = max(h.most, other.most)
	h.total += other.total
	for i, n := range other.counts {
		h.counts[i] += n
	}
}

// Count is the number of recorded durations.
func (h *Histogram) Count() uint64 { return h.total }

// Max is the longest recorded duration, exactly; zero when there is none.
func (h *Histogram) Max() time.Duration { return h.most }

// Quantile is the smallest duration that at least a share q of the recorded ones
// do not exceed, within the width of a bucket; zero when there is none.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.total == 0 {
		return 0
	}
	rank := uint64(q * float64(h.total))
	if float64(rank) < q*float64(h.total) {
		rank++
	}
	rank = max(rank, 1)
	if rank >= h.total {
		return h.most
	}
	var seen uint64
	for i, n := range h.counts {
		seen += uint64(n)
		if seen >= rank {
			return min(max(middle(i), h.least), h.most)
		}
	}
	return h.most
}

func bucket(d time.Duration) int {
	v := min(uint64(d), 1<<rangeBits-1)
	shift := max(bits.Len64(v)-linearBits, 0)
	return shift*half + int(v>>shift)
}

func middle(i int) time.Duration {
	if i < 1<<linearBits {
		return time.Duration(i)
	}
	shift := i/half - 1
	lower := uint64(i-shift*half) << shift
	return time.Duration(lower + 1<<(shift-1))
}
