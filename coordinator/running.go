package coordinator

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/internal/failpoint"
)

// running is a duty at work under one grant, in a goroutine of its own.
type running struct {
	grant  *Grant
	cancel context.CancelFunc
	done   chan struct{}
	// gaveUp is closed when the duty failed too often.
	gaveUp chan struct{}
	// exact says that every run ended as it should, so that what it says it used is
	// all it used. Read it after done.
	exact bool
	err   error
}

// failures before a duty is given up, the pause after the first, and the longest. A
// run that lasted for steady begins the count anew.
const (
	maxFailures  = 5
	firstPause   = 50 * time.Millisecond
	longestPause = 2 * time.Second
	steady       = 10 * time.Second
)

func start(ctx context.Context, duty Duty, grant *Grant, logger hclog.Logger) *running {
	ctx, cancel := context.WithCancel(ctx)
	r := &running{grant: grant, cancel: cancel, done: make(chan struct{}), gaveUp: make(chan struct{}), exact: true}
	go func() {
		defer close(r.done)
		r.run(ctx, duty, logger)
	}()
	return r
}

func (r *running) run(ctx context.Context, duty Duty, logger hclog.Logger) {
	failures, pause := 0, firstPause
	for ctx.Err() == nil {
		began := time.Now()
		err := r.attempt(ctx, duty)
		if ctx.Err() != nil {
			return
		}
		r.exact = false // it may have used what it did not tell
		if time.Since(began) >= steady {
			failures, pause = 0, firstPause
		}
		failures++
		logger.Error("duty failed", "era", r.grant.Era, "failures", failures, "error", err)
		if failures == maxFailures {
			r.err = err
			close(r.gaveUp)
			return
		}
		sleep(ctx, pause)
		pause = min(2*pause, longestPause)
	}
}

// attempt runs the duty once; a panic is its error.
func (r *running) attempt(ctx context.Context, duty Duty) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.exact = false
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	failpoint.Hit("duty/run", r.grant.Duty.Name)
	if err = duty.Run(ctx, r.grant); err == nil {
		err = fmt.Errorf("it returned before its tenure ended")
	}
	return err
}

// end stops the duty, waits until it has, and returns what it said it used, and
// whether that can be trusted.
func (r *running) end() (used tenure.Frontiers, exact bool) {
	r.cancel()
	<-r.done
	return r.grant.usage(), r.exact
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
