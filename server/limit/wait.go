package limit

import (
	"context"
	"time"
)

// enter is the way in for a request whose token is paid, and which perhaps holds a
// place of its identity's. It returns once the place is the request's, or with why
// there is none.
func (c *class) enter(ctx context.Context, l *line, holds bool) error {
	lim := c.limits.Load()
	if !holds {
		var in bool
		if in, holds = c.try(l, lim); in {
			return nil
		}
	}
	w, refused := c.join(ctx, l, holds)
	if w == nil || refused != nil {
		return refused
	}
	c.queued.Add(1)
	timer := time.NewTimer(lim.wait)
	defer timer.Stop()
	select {
	case <-w.ready:
		return nil
	case <-timer.C:
		return c.giveUp(l, w, causeWait, nil)
	case <-ctx.Done():
		return c.giveUp(l, w, causeEnded, context.Cause(ctx))
	}
}

// join takes the request into its identity's queue; it is nil if a place was
// free after all. A request that holds a place of its identity, but none of the
// class, gives it back.
func (c *class) join(ctx context.Context, l *line, holds bool) (*waiter, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if holds {
		l.sub(oneInUse)
	}
	w := &waiter{}
	q := c.enqueue(l, w)
	c.settle(l)
	c.dispatch()
	if w.granted {
		return nil, nil
	}
	lim := c.limits.Load()
	if cause := c.overfull(ctx, q, lim); cause != causeNone {
		after := c.pace.after(c.ahead(q))
		c.dequeue(q, w)
		return nil, c.refuse(l, cause, after, ctx.Err())
	}
	w.ready = make(chan struct{})
	return w, nil
}

// overfull is why the last of the queue may not wait.
func (c *class) overfull(ctx context.Context, q *queue, lim *limits) cause {
	others, own := c.waiting[side(q.line)]-1, q.length-1
	perIdentity := lim.queuePerIdentity
	if q.line.identity.peer {
		perIdentity = lim.queue
	}
	switch {
	case ctx.Err() != nil:
		return causeEnded
	case others >= lim.queue:
		return causeQueue
	case own >= min(perIdentity, lim.queue-others):
		return causeIdentityQueue
	}
	deadline, ok := ctx.Deadline()
	if ok && c.pace.after(c.ahead(q))/2 > time.Until(deadline) {
		return causeDeadline
	}
	return causeNone
}

// ahead is how many requests enter until the last of the queue does, if no other
// comes or goes: a round for each of its own, or fewer where others wait for less.
// A queue outside the ring waits for its own identity only, and nothing is known
// of how long that takes.
func (c *class) ahead(q *queue) int {
	if !q.ringed {
		return 0
	}
	return min(q.length*c.ring.length, c.waiting[0]+c.waiting[1])
}

// giveUp ends a wait. A place that came at the same moment goes to the next.
func (c *class) giveUp(l *line, w *waiter, why cause, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.granted {
		after := c.pace.every
		c.release(l)
		return c.refuse(l, why, after, err)
	}
	after := c.pace.after(c.ahead(l.queue))
	c.dequeue(l.queue, w)
	return c.refuse(l, why, after, err)
}
