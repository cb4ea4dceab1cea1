package limit

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/candor-plane/candor"
)

// class is the places of one class of requests and who waits for them.
//
// The fast way in and out is the tally and the line's count, without the lock.
// It is closed to whoever would overtake: a line's while its identity waits, the
// class's while somebody is in the ring. Both are announced before the lock's
// owner looks for room, so whoever leaves either is seen to have left, or sees
// the announcement and comes by the lock (see DESIGN.md, "No wake-up is lost").
type class struct {
	name   candor.AdmissionClass
	tally  atomic.Uint64 // a tally
	_      [64]byte      // the tally changes with every request
	limits atomic.Pointer[limits]
	queued atomic.Uint64
	// refused counts by cause.
	refused [causeCount]atomic.Uint64

	mu      sync.Mutex // below every shard's lock
	ring    ring
	waiting [2]int // clients, peers
	pace    pace
}

// limits are the settings of a class as it uses them.
type limits struct {
	places, reserved, share int
	queue, queuePerIdentity int
	wait, rateWait          time.Duration
	rate                    rate
}

func newLimits(s *ClassSettings) *limits {
	return &limits{
		places: s.Places, reserved: s.Reserved, share: s.Share,
		queue: s.Queue, queuePerIdentity: s.QueuePerIdentity,
		wait: s.Wait, rateWait: s.RateWait, rate: newRate(s.Rate, s.Burst),
	}
}

func (c *class) load() tally { return tally(c.tally.Load()) }

// try is the fast way in. If it fails, holds says whether the request got a place
// of its identity's and none of the class.
func (c *class) try(l *line, lim *limits) (in, holds bool) {
	if !l.take(l.share(lim)) {
		return false, false
	}
	if !c.take(l.identity.peer, l.one(), lim) {
		return false, true
	}
	return true, false
}

// take counts one more, if there is room and nobody in the ring.
func (c *class) take(peer bool, one tally, lim *limits) bool {
	for {
		was := c.load()
		if was.ringed() > 0 || !was.room(peer, lim) {
			return false
		}
		if c.tally.CompareAndSwap(uint64(was), uint64(was+one)) {
			return true
		}
	}
}

// drop counts one less, unless somebody in the ring may want its place.
func (c *class) drop(one tally) bool {
	for {
		was := c.load()
		if was.ringed() > 0 {
			return false
		}
		if c.tally.CompareAndSwap(uint64(was), uint64(was-one)) {
			return true
		}
	}
}

// leave gives a place back and, if somebody waits, to the next.
func (c *class) leave(l *line) {
	if !l.drop() {
		c.mu.Lock()
		c.release(l)
		c.mu.Unlock()
		return
	}
	if !c.drop(l.one()) {
		c.mu.Lock()
		c.sub(l.one())
		c.dispatch()
		c.mu.Unlock()
	}
}

// Everything below is called with the lock held. The sums are safe beside takers
// and droppers: those go by compare-and-swap.

func (c *class) add(n tally) { c.tally.Add(uint64(n)) }
func (c *class) sub(n tally) { c.tally.Add(-uint64(n)) }

func (c *class) release(l *line) {
	l.sub(oneInUse)
	c.sub(l.one())
	c.settle(l)
	c.dispatch()
}

// settle puts the line's queue into the ring if its identity waits and may have
// another place.
func (c *class) settle(l *line) {
	q := l.queue
	if q == nil || q.ringed || l.load().inUse() >= l.share(c.limits.Load()) {
		return
	}
	c.ring.push(q)
	c.add(oneRinged)
}

func (c *class) unring(q *queue) {
	c.ring.remove(q)
	c.sub(oneRinged)
	if c.ring.length == 0 {
		c.pace.pause()
	}
}

// dispatch gives what places are free to those in the ring, in turns. Afterwards
// nobody is in the ring for whom there is a place.
func (c *class) dispatch() {
	lim := c.limits.Load()
	for c.ring.length > 0 {
		q := c.turn(lim)
		if q == nil {
			return
		}
		share := q.line.share(lim)
		if q.line.load().inUse() < share {
			c.grant(q)
		}
		if !q.ringed {
			continue
		}
		if q.line.load().inUse() >= share {
			c.unring(q) // whoever leaves finds the queue and settles it
			continue
		}
		c.ring.remove(q)
		c.ring.push(q)
	}
}

// turn is the queue whose turn it is; nil if there is no room for it.
func (c *class) turn(lim *limits) *queue {
	t := c.load()
	if t.room(false, lim) {
		return c.ring.first
	}
	if len(c.ring.peers) > 0 && t.room(true, lim) {
		return c.ring.peers[0]
	}
	return nil
}

// grant gives a place to the first of the queue. What it takes is counted before
// the queue stops keeping others from the fast way.
func (c *class) grant(q *queue) {
	w, l := q.first, q.line
	l.add(oneInUse)
	c.add(l.one())
	w.granted = true
	if w.ready != nil {
		close(w.ready)
		c.pace.tick(time.Now())
	}
	c.dequeue(q, w)
}

func (c *class) enqueue(l *line, w *waiter) *queue {
	if l.queue == nil {
		l.queue = &queue{line: l}
	}
	l.queue.push(w)
	l.add(oneWaiting)
	c.waiting[side(l)]++
	return l.queue
}

// dequeue takes one out; a queue that is empty is gone, from the ring too.
func (c *class) dequeue(q *queue, w *waiter) {
	q.remove(w)
	q.line.sub(oneWaiting)
	c.waiting[side(q.line)]--
	if q.length > 0 {
		return
	}
	q.line.queue = nil
	if q.ringed {
		c.unring(q)
	}
}

// side tells the room of clients in the queue from that of servers.
func side(l *line) int {
	if l.identity.peer {
		return 1
	}
	return 0
}
