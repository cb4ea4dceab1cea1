package audit

import (
	"container/list"
	"context"
	"sync"

	candor "github.com/candor-plane/candor"
)

// queue hands records to the writer. Each has room from before its request acts
// until it is written or given up, so the memory is bounded and nobody waits once
// it has acted. Waiters get room in the order in which they came.
type queue struct {
	capacity int
	wake     chan struct{} // holds a token while records wait

	mu      sync.Mutex
	free    int // room that nobody has
	held    int // room of tickets
	pending []Record
	waiters list.List // of *waiter
	waits   uint64    // how many ever had to wait
	failing *candor.Error
	closing bool
	sealed  bool
	empty   chan struct{} // closed when closing and no ticket is out
}

type waiter struct {
	ready chan struct{} // closed once err is set, or room given
	err   error
}

func newQueue(capacity int) *queue {
	return &queue{
		capacity: capacity, free: capacity,
		wake: make(chan struct{}, 1), empty: make(chan struct{}),
	}
}

// reserve takes room for one record, waiting for it until ctx ends.
func (q *queue) reserve(ctx context.Context) error {
	q.mu.Lock()
	if err := q.refusal(); err != nil {
		q.mu.Unlock()
		return err
	}
	if q.free > 0 { // then nobody waits: see give
		q.free--
		q.held++
		q.mu.Unlock()
		return nil
	}
	w := &waiter{ready: make(chan struct{})}
	place := q.waiters.PushBack(w)
	q.waits++
	q.mu.Unlock()

	select {
	case <-w.ready:
		return w.err
	case <-ctx.Done():
		return q.leave(ctx, w, place)
	}
}

// leave ends a wait; room that was given meanwhile is kept.
func (q *queue) leave(ctx context.Context, w *waiter, place *list.Element) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case <-w.ready:
		return w.err
	default:
	}
	q.waiters.Remove(place)
	return candor.Errorf(candor.ReasonQueueSaturated,
		"the audit log has had no room for a record: %d of %d are taken, %d requests wait: %w",
		q.capacity-q.free, q.capacity, q.waiters.Len()+1, context.Cause(ctx))
}

// refusal is why no room is given now, or nil.
func (q *queue) refusal() error {
	if q.closing {
		return candor.Errorf(candor.ReasonShuttingDown, "the audit log is closed")
	}
	if q.failing != nil {
		return q.failing
	}
	return nil
}

// commit puts a record into the room of a ticket. It is false if the writer has
// ended.
func (q *queue) commit(r *Record) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	defer q.returned()
	if q.sealed {
		return false
	}
	q.put(r)
	return true
}

// drop gives the room of a ticket back.
func (q *queue) drop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.give(1)
	q.returned()
}

// try puts a record in without a ticket, if more than half of the room is free:
// handshakes may not take it from requests. It never waits.
func (q *queue) try(r *Record) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.refusal() != nil || q.free <= q.capacity/2 {
		return false
	}
	q.free--
	q.put(r)
	return true
}

func (q *queue) put(r *Record) {
	q.pending = append(q.pending, *r)
	q.ring()
}

// ring wakes the writer, with a record or without.
func (q *queue) ring() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// returned notes that a ticket is no longer out.
func (q *queue) returned() {
	q.held--
	q.announceEmpty()
}

func (q *queue) announceEmpty() {
	if q.closing && q.held == 0 && q.empty != nil {
		close(q.empty)
		q.empty = nil
	}
}

// take hands over what waits, for an empty slice to fill in its place. The
// records keep their room until release.
func (q *queue) take(empty []Record) []Record {
	q.mu.Lock()
	defer q.mu.Unlock()
	taken := q.pending
	q.pending = empty
	return taken
}

// release gives room back, first to who has waited longest.
func (q *queue) release(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.give(n)
}

func (q *queue) give(n int) {
	q.free += n
	for q.free > 0 && q.waiters.Len() > 0 {
		q.free--
		q.held++
		q.answer(nil)
	}
}

// answer ends the longest wait.
func (q *queue) answer(err error) {
	w, _ := q.waiters.Remove(q.waiters.Front()).(*waiter)
	w.err = err
	close(w.ready)
}

// refuse makes reserve fail with err until it is told nil; waiters fail now.
func (q *queue) refuse(err *candor.Error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.failing = err
	q.dismiss()
}

// close makes reserve fail for good. The channel is closed once no ticket is out.
func (q *queue) close() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closing = true
	q.dismiss()
	empty := q.empty
	q.announceEmpty()
	return empty
}

func (q *queue) dismiss() {
	err := q.refusal()
	for err != nil && q.waiters.Len() > 0 {
		q.answer(err)
	}
}

// seal makes commit fail and hands over what still waits.
func (q *queue) seal() []Record {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sealed = true
	taken := q.pending
	q.pending = nil
	return taken
}

// load is the room taken, the requests that wait, and how many ever did.
func (q *queue) load() (taken, waiting int, waits uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.capacity - q.free, q.waiters.Len(), q.waits
}
