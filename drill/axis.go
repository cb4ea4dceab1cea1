package drill

import (
	"context"
	"time"
)

// axis is the time of a drill: since its recording began.
type axis struct{ began time.Time }

func (a axis) now() time.Duration { return time.Since(a.began) }

// passes lets time go by, and says whether there was so much before ctx ended.
func passes(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
