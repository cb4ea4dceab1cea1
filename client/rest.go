package client

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/candor-plane/candor"
)

// Pauses between attempts double from the first to the last, with jitter.
const (
	firstPause = 10 * time.Millisecond
	lastPause  = 250 * time.Millisecond
)

// rest pauses before the next attempt, at least as long as the refusal e asks
// for. Where that is past the deadline it returns e at once: nothing would come
// of waiting. A request that looks for a leader other than ep goes on as soon as
// anyone learns of one: whoever finds it wakes all.
func (p *pursuit) rest(ctx context.Context, ep *endpoint, e *candor.Error) error {
	var changed <-chan struct{}
	if ep != nil && p.request.route == toLeader {
		belief := p.client.leader.current()
		if belief.endpoint != nil && p.leaderElsewhere(ep) {
			return nil
		}
		changed = belief.changed
	}
	p.hops = 0
	p.pause = min(max(firstPause, 2*p.pause), lastPause)
	pause := p.pause/2 + rand.N(p.pause/2+1)
	if e.RetryAfter > pause {
		if deadline, bounded := ctx.Deadline(); bounded && time.Until(deadline) < e.RetryAfter {
			return p.settle(e)
		}
		pause = e.RetryAfter
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-changed:
	case <-ctx.Done():
		return p.gaveUp(ctx.Err())
	}
	return nil
}
