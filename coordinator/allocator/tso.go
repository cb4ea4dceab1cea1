package allocator

import (
	"context"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/internal/failpoint"
)

// A timestamp is milliseconds of cluster time, and LogicalBits below them that tell
// those of one millisecond apart. Where more are taken than fit, or where the frontier
// is ahead of the clock, timestamps run ahead of cluster time and stay there until it
// has caught up.
const (
	LogicalBits = 18
	// MaxTimestamps is the most that one call may take.
	MaxTimestamps = 1 << LogicalBits
	// defaultAheadTSO is how far ahead of cluster time timestamps are reserved.
	defaultAheadTSO = uint64(3*time.Second/time.Millisecond) << LogicalBits
	// leastAheadTSO is how many timestamps are reserved beyond what is needed where they
	// are ahead of cluster time: what each of many crashes in a row adds to that.
	leastAheadTSO = uint64(50*time.Millisecond/time.Millisecond) << LogicalBits
)

// Clock tells cluster time. It must answer at once.
type Clock interface {
	// ClusterTime is in nanoseconds; not ok while it is not known.
	ClusterTime() (nanoseconds int64, ok bool)
}

// Belief is whether a holder may think that it still holds its tenure. It must answer
// at once.
type Belief interface {
	Holds() bool
}

// Timestamp is the lowest one of a cluster time; 0 for one below zero.
func Timestamp(nanoseconds int64) uint64 {
	return uint64(max(nanoseconds, 0)/int64(time.Millisecond)) << LogicalBits
}

// Split takes a timestamp apart.
func Split(timestamp uint64) (clusterTime time.Duration, logical uint64) {
	return time.Duration(timestamp>>LogicalBits) * time.Millisecond, timestamp & (MaxTimestamps - 1)
}

// TSO hands out timestamps: each is above all that were handed out before it was asked
// for, by any holder. Any goroutine may call it.
type TSO struct {
	*batcher
	belief Belief
}

// NewTSO begins to hand out timestamps under an era. Close ends it.
func NewTSO(settings Settings, reserve Reserve, clock Clock, belief Belief) (*TSO, error) {
	s, err := settings.checked(defaultAheadTSO)
	if err != nil {
		return nil, err
	}
	s.least = min(leastAheadTSO, s.Ahead)
	if reserve == nil || clock == nil || belief == nil {
		return nil, candor.Errorf(candor.ReasonInvalid, "allocator: Reserve, Clock and Belief are required")
	}
	floor := func() (uint64, *candor.Error) {
		now, ok := clock.ClusterTime()
		if !ok {
			return 0, degraded("cluster time is not known on this node")
		}
		return Timestamp(now), nil
	}
	return &TSO{newBatcher(s, reserve, floor), belief}, nil
}

// TSO returns n timestamps in a row. Its errors are AllocID's, and SCHEDULER_DEGRADED
// also where the holder may not believe in its tenure any longer. That is asked after
// the timestamps are taken and before they are answered: what was taken is lost then.
func (t *TSO) TSO(ctx context.Context, n uint64) (Range, error) {
	if n == 0 || n > MaxTimestamps {
		return Range{}, candor.Errorf(candor.ReasonInvalid, "%d timestamps: want 1 to %d", n, MaxTimestamps)
	}
	if !t.belief.Holds() {
		return Range{}, t.refused(errDisbelieved)
	}
	r, err := t.take(ctx, n)
	if err != nil {
		return Range{}, err
	}
	failpoint.Hit("allocator/taken", "tso")
	if !t.belief.Holds() {
		return Range{}, t.refused(errDisbelieved)
	}
	return r, nil
}

var errDisbelieved = degraded("this node may not believe any longer that it holds the duty")

func degraded(why string) *candor.Error {
	return &candor.Error{Reason: candor.ReasonSchedulerDegraded, Message: why}
}
