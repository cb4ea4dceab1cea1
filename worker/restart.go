package worker

import (
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/worker/shim"
)

const (
	firstRestart = time.Second
	lastRestart  = time.Minute
	// settledAfter is how long a run lasts that is no failure to start: the next one is
	// not held back for those before.
	settledAfter = time.Minute
)

// next is the order of the run that follows the end of one; nil for none. A run that
// the worker ended for its probe has failed.
func next(o *shim.Order, r *shim.Record) *shim.Order {
	failed := r.Unknown || r.Stopped || r.ExitCode != 0
	if o.Stopping || o.Template.Restart == candor.RestartNever || o.Template.Restart == candor.RestartOnFailure && !failed {
		return nil
	}
	again := *o
	again.Run++
	if !r.StartedAt.IsZero() && r.EndedAt.Sub(r.StartedAt) >= settledAfter {
		again.Failures = 0
	}
	again.Failures++
	return &again
}

// crashed says that a run failed by itself: it was not asked to end.
func crashed(r *shim.Record) bool { return !r.Stopped && (r.Unknown || r.ExitCode != 0) }

// restartDelay doubles with the runs in a row that ended soon before the newest.
func restartDelay(failures int) time.Duration {
	d := firstRestart
	for range failures {
		if d *= 2; d >= lastRestart {
			return lastRestart
		}
	}
	return d
}
