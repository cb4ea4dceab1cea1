package worker

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff is a pause that doubles, between two bounds.
type backoff struct {
	first, last time.Duration
	next        time.Duration
}

// grow is how long to pause now, with jitter, so that many do not come at once.
func (b *backoff) grow() time.Duration {
	b.next = min(max(b.first, 2*b.next), b.last)
	return b.next/2 + rand.N(b.next/2+1)
}

func (b *backoff) reset() { b.next = 0 }

// rest is false when ctx ended first.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
