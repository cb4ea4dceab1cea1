package allocator

import (
	"context"

	"github.com/candor-plane/candor"
)

// MaxIDs is the most that one call may take.
const MaxIDs = 1 << 20

// IDs hands out IDs. Any goroutine may call it.
type IDs struct{ *batcher }

// NewIDs begins to hand out IDs under an era. Close ends it.
func NewIDs(settings Settings, reserve Reserve) (*IDs, error) {
	s, err := settings.checked(defaultAheadIDs)
	if err != nil {
		return nil, err
	}
	s.mostAhead = mostAheadIDs
	if reserve == nil {
		return nil, candor.Errorf(candor.ReasonInvalid, "allocator: a Reserve is required")
	}
	return &IDs{newBatcher(s, reserve, func() (uint64, *candor.Error) { return 0, nil })}, nil
}

// AllocID returns n IDs in a row. An error means that nothing was handed out. Its
// reason is INVALID for a bad n, TIMED_OUT or CANCELED for a context that ended while
// the call waited, QUOTA_EXCEEDED when 64 bits are used up, and SCHEDULER_DEGRADED when
// too many wait or the tenure is over.
func (a *IDs) AllocID(ctx context.Context, n uint64) (Range, error) {
	if n == 0 || n > MaxIDs {
		return Range{}, candor.Errorf(candor.ReasonInvalid, "%d IDs: want 1 to %d", n, MaxIDs)
	}
	r, err := a.take(ctx, n)
	if err != nil {
		return Range{}, err
	}
	return r, nil
}
