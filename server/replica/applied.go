package replica

import (
	"container/heap"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/rpc/tracing"
)

// applied is the index that the published view has reached, and those who wait
// for it. It is ours because raft's AppliedIndex means handed over.
type applied struct {
	index atomic.Uint64
	// updated is the wall clock when the index moved, in nanoseconds.
	updated atomic.Int64
	wall    func() time.Time
	waiting atomic.Int64

	mu   sync.Mutex
	heap indexHeap
	pool sync.Pool
	// closed is set when nothing will be applied any more.
	closed bool
}

// advance publishes an index and wakes who waited for it. One goroutine calls it.
func (a *applied) advance(index uint64) {
	if index <= a.index.Load() {
		return
	}
	a.updated.Store(a.wall().UnixNano())
	a.index.Store(index)
	if a.waiting.Load() == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.heap) > 0 && a.heap[0].index <= index {
		a.wake(a.heap.first())
	}
}

// updatedAt is when the index moved last; zero before that.
func (a *applied) updatedAt() time.Time {
	if at := a.updated.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// wait returns once index is applied, or why it will not be waited for.
func (a *applied) wait(ctx context.Context, index uint64) error {
	if a.index.Load() >= index {
		return nil
	}
	ctx, span := tracing.Step(ctx, tracing.StepWait)
	err := a.await(ctx, index)
	if span.IsRecording() {
		span.SetAttributes(tracing.Index.Int64(int64(index)))
		tracing.End(span, err)
	}
	return err
}

func (a *applied) await(ctx context.Context, index uint64) error {
	if err := ctx.Err(); err != nil {
		return a.late(err, index)
	}
	w, ok := a.pool.Get().(*indexWaiter)
	if !ok {
		w = &indexWaiter{done: make(chan struct{}, 1)}
	}
	w.index = index
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return candor.Errorf(candor.ReasonShuttingDown, "the server stops; its view is at index %d, not yet at %d", a.index.Load(), index)
	}
	a.waiting.Add(1)
	heap.Push(&a.heap, w)
	// advance may have looked before waiting was counted.
	if a.index.Load() >= index {
		a.remove(w)
	}
	a.mu.Unlock()
	select {
	case <-w.done:
		reached := a.index.Load() >= index
		a.pool.Put(w)
		if !reached {
			return candor.Errorf(candor.ReasonShuttingDown, "the server stops; its view is at index %d, not yet at %d", a.index.Load(), index)
		}
		return nil
	case <-ctx.Done():
	}
	a.mu.Lock()
	if w.place >= 0 {
		a.remove(w)
	}
	a.mu.Unlock()
	<-w.done
	a.pool.Put(w)
	if a.index.Load() >= index {
		return nil
	}
	return a.late(ctx.Err(), index)
}

func (a *applied) late(cause error, index uint64) error {
	reason := candor.ReasonTimedOut
	if errors.Is(cause, context.Canceled) {
		reason = candor.ReasonCanceled
	}
	return candor.Errorf(reason, "the view is at index %d and has not reached %d", a.index.Load(), index)
}

// close wakes everybody for good.
func (a *applied) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	for len(a.heap) > 0 {
		a.wake(a.heap.first())
	}
}

func (a *applied) remove(w *indexWaiter) {
	heap.Remove(&a.heap, w.place)
	a.wake(w)
}

func (a *applied) wake(w *indexWaiter) {
	a.waiting.Add(-1)
	w.done <- struct{}{}
}

// indexWaiter waits for one index. place is where it is in the heap, -1 outside.
type indexWaiter struct {
	index uint64
	place int
	done  chan struct{}
}

type indexHeap []*indexWaiter

func (h indexHeap) Len() int           { return len(h) }
func (h indexHeap) Less(i, j int) bool { return h[i].index < h[j].index }

func (h indexHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// first removes the waiter of the lowest index.
func (h *indexHeap) first() *indexWaiter {
	w, _ := heap.Pop(h).(*indexWaiter) // the heap holds nothing else
	return w
}

func (h *indexHeap) Push(x any) {
	w, _ := x.(*indexWaiter)
	w.place = len(*h)
	*h = append(*h, w)
}

func (h *indexHeap) Pop() any {
	old := *h
	w := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	w.place = -1
	return w
}
