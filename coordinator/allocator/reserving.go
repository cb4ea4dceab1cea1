package allocator

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
)

// The pauses between failed reservations: doubled each time, up to the longest.
const (
	firstPause   = 10 * time.Millisecond
	longestPause = time.Second
)

// Close ends the allocator and returns the highest number that was handed out: the
// exact usage to seal. Calls that wait are refused with SCHEDULER_DEGRADED, and so is
// every later one. It may be called again.
func (b *batcher) Close() (used uint64) {
	b.end(degraded("the duty is being handed over"))
	b.stop()
	<-b.done
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.window.Used
}

// Ended is closed once nothing is handed out any more; Err then says why.
func (b *batcher) Ended() <-chan struct{} { return b.ended }

// Err is why the allocator ended, nil while it serves.
func (b *batcher) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over == nil {
		return nil
	}
	return b.over
}

// Stats are the counters now.
func (b *batcher) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.stats
	s.Window, s.Waiting, s.Refused = b.window, len(b.line), b.turnedAway.Load()
	return s
}

// end stops handing out; the first reason stays.
func (b *batcher) end(why *candor.Error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over != nil {
		return
	}
	b.over = why
	b.refuseAll(why)
	close(b.ended)
}

// reserving is the batcher's goroutine: it reserves whenever too little is left.
func (b *batcher) reserving(ctx context.Context) {
	defer close(b.done)
	asked, pause := uint64(0), firstPause
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.need:
		}
		for {
			bound, ok := b.wanted()
			if !ok || ctx.Err() != nil {
				break
			}
			// What was asked for may be in the root although nobody said so.
			asked = max(asked, bound)
			if err := b.reserveOnce(ctx, asked); err == nil {
				pause = firstPause
				continue
			} else if ctx.Err() != nil || !b.survives(err, pause == firstPause) || !rest(ctx, pause) {
				return
			}
			pause = min(2*pause, longestPause)
		}
	}
}

// wanted is the bound to reserve next; not ok while enough is left.
func (b *batcher) wanted() (bound uint64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over != nil {
		return 0, false
	}
	b.serve()
	floor, err := b.floor()
	if err != nil {
		// It is asked again with the next call.
		b.refuseAll(err)
		return 0, false
	}
	if len(b.line) == 0 && b.window.Left(floor) >= b.spare(floor)/2 && b.window.Left(floor) > 0 {
		return 0, false
	}
	if len(b.line) > 0 && b.window.Bound > b.settings.Start {
		// Callers used up what was reserved before there was more.
		b.ahead = max(b.ahead, min(2*b.ahead, b.settings.mostAhead))
	}
	total := uint64(0)
	for _, w := range b.line {
		total += w.n
	}
	return b.reach(total, floor)
}

// reach is the bound for n numbers and what is kept ahead; near the end of 64 bits, for
// as many as there are.
func (b *batcher) reach(n, floor uint64) (bound uint64, ok bool) {
	spare := b.spare(floor)
	if bound, ok = b.window.Want(n+spare, floor); ok && n <= math.MaxUint64-spare {
		return bound, bound > b.window.Bound
	}
	if b.window.Bound < math.MaxUint64 {
		return math.MaxUint64, true
	}
	b.refuseAll(candor.Errorf(candor.ReasonQuotaExceeded, "all numbers of 64 bits are used up"))
	return 0, false
}

// spare is how many numbers to keep reserved beyond what is needed. What Used is ahead of
// the floor is part of it, or each crash of a holder would put the next one further ahead.
func (b *batcher) spare(floor uint64) uint64 {
	if b.settings.least == 0 || b.window.Used <= floor {
		return b.ahead
	}
	lead := min(b.window.Used-floor, b.ahead)
	return max(b.settings.least, b.ahead-lead)
}

func (b *batcher) reserveOnce(ctx context.Context, bound uint64) error {
	ctx, cancel := context.WithTimeout(ctx, b.settings.ReserveTimeout)
	defer cancel()
	err := b.reserve.Reserve(ctx, bound)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.stats.ReserveFailures++
		return err
	}
	b.stats.Reservations++
	b.window = b.window.Granted(bound)
	b.serve()
	return nil
}

// survives says whether a reservation may be asked for again. An error that is no
// Error says nothing about the era. Of failures in a row the first is worth a warning.
func (b *batcher) survives(err error, first bool) bool {
	var e *candor.Error
	final := errors.As(err, &e) && e.Reason.Disposition().Retry == candor.RetryNever && e.Reason != candor.ReasonCanceled
	if final && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		b.settings.Logger.Warn("reservation refused, the era is over", "era", b.settings.Era, "error", err)
		b.end(&candor.Error{Reason: candor.ReasonSchedulerDegraded, Message: "the root takes no reservation of this era any more", Err: err})
		return false
	}
	level := hclog.Debug
	if first {
		level = hclog.Warn
	}
	b.settings.Logger.Log(level, "reservation failed, it will be tried again", "era", b.settings.Era, "error", err)
	return true
}

// rest pauses; false when the context ended.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
