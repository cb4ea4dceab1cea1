package stage

import (
	"context"
	"time"

	"github.com/candor-plane/candor"
)

// step is how often a condition is looked at.
const step = 20 * time.Millisecond

// await polls a condition until it holds. When ctx ends before, the error is TIMED_OUT
// and tells the last thing that stood in the way. attempt bounds each look.
func await(ctx context.Context, what string, condition func(context.Context) (bool, error)) error {
	var last error
	for {
		look, cancel := context.WithTimeout(ctx, time.Second)
		there, err := condition(look)
		cancel()
		if there {
			return nil
		}
		if err != nil && (ctx.Err() == nil || last == nil) {
			last = err
		}
		if !sleep(ctx, step) {
			if last == nil {
				last = context.Cause(ctx)
			}
			return candor.Errorf(candor.ReasonTimedOut, "waited for %s: %w", what, last)
		}
	}
}

// sleep lets time pass, and says whether there was so much.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
