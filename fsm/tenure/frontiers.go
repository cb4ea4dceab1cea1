package tenure

import (
	"math"
	"strconv"
	"time"
)

// Frontiers are the highest values that were, or may have been, used under a duty.
type Frontiers struct {
	ID         uint64
	Timestamp  uint64
	Transition uint64
}

// Covers says that f is at or above g in every part.
func (f Frontiers) Covers(g Frontiers) bool {
	return f.ID >= g.ID && f.Timestamp >= g.Timestamp && f.Transition >= g.Transition
}

// Max is the lowest that covers both.
func (f Frontiers) Max(g Frontiers) Frontiers {
	return Frontiers{ID: max(f.ID, g.ID), Timestamp: max(f.Timestamp, g.Timestamp), Transition: max(f.Transition, g.Transition)}
}

// String is the frontiers for people: id/timestamp/transition.
func (f Frontiers) String() string {
	return strconv.FormatUint(f.ID, 10) + "/" + strconv.FormatUint(f.Timestamp, 10) + "/" + strconv.FormatUint(f.Transition, 10)
}

// TimestampBits are the low bits of a timestamp, which count within a millisecond.
const TimestampBits = 18

// TimestampAt is the lowest timestamp of an instant of cluster time.
func TimestampAt(clusterTime int64) uint64 {
	return uint64(max(clusterTime, 0)/int64(time.Millisecond)) << TimestampBits
}

// Steps bound how far one event moves a frontier, so that no mistake uses up the
// 64 bits of a value: timestamps by more than an hour.
const (
	MaxIDStep         = 1 << 32
	MaxTimestampStep  = 1 << (22 + TimestampBits)
	MaxTransitionStep = 1 << 40
)

// reach is the highest that one event may move f to, at a cluster time.
func (f Frontiers) reach(clusterTime int64) Frontiers {
	return Frontiers{
		ID:         saturated(f.ID, MaxIDStep),
		Timestamp:  saturated(max(f.Timestamp, TimestampAt(clusterTime)), MaxTimestampStep),
		Transition: saturated(f.Transition, MaxTransitionStep),
	}
}

func saturated(value, step uint64) uint64 {
	if value > math.MaxUint64-step {
		return math.MaxUint64
	}
	return value + step
}

// later is a cluster time that much after now; the end of time where there is no
// such.
func later(now, duration int64) int64 {
	if now > math.MaxInt64-duration {
		return math.MaxInt64
	}
	return now + duration
}
