// Package load drives a cluster with closed loops of clients and records how
// long each answer took.
//
// It guarantees that an operation counts in a measurement only if it ended while
// that measurement was open, and that a failed operation fails the measurement:
// errors are never averaged into a result. Its own cost per operation is two
// clock readings, one uncontended lock and one histogram bucket. Experiments
// call it.
package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/candor-plane/candor/bench/histogram"
)

// answerInterval is how often AwaitAnswer looks.
const answerInterval = 10 * time.Millisecond

// Operation is one request of one client, begun when the previous has ended.
type Operation func(ctx context.Context) error

// Result is what one measurement recorded.
type Result struct {
	Elapsed time.Duration
	Latency *histogram.Histogram
}

// Rate is the operations per second.
func (r Result) Rate() float64 { return float64(r.Latency.Count()) / r.Elapsed.Seconds() }

// Running is a set of clients at work. Stop ends it; one goroutine at a time may
// call Measure.
type Running struct {
	window  atomic.Pointer[window]
	stopped atomic.Bool
	cancel  context.CancelFunc
	clients int
	workers sync.WaitGroup

	failed  chan struct{}
	failing sync.Once
	failure error
}

// window is one open measurement; each client has a slot of its own.
type window struct{ slots []slot }

func (w *window) answered() bool {
	for i := range w.slots {
		s := &w.slots[i]
		s.mu.Lock()
		n := s.histogram.Count()
		s.mu.Unlock()
		if n > 0 {
			return true
		}
	}
	return false
}

type slot struct {
	mu        sync.Mutex
	histogram histogram.Histogram
}

// Start begins one closed loop per operation. They run until Stop, or until one
// of them fails, which ends all.
func Start(ctx context.Context, operations []Operation) *Running {
	ctx, cancel := context.WithCancel(ctx)
	r := &Running{cancel: cancel, clients: len(operations), failed: make(chan struct{})}
	r.workers.Add(len(operations))
	for client, operation := range operations {
		go func() {
			defer r.workers.Done()
			r.work(ctx, client, operation)
		}()
	}
	return r
}

// Measure records what the clients do while during runs, and answers an error of
// during's or of any client's.
func (r *Running) Measure(during func() error) (Result, error) {
	w := &window{slots: make([]slot, r.clients)}
	begun := time.Now()
	r.window.Store(w)
	err := during()
	r.window.Store(nil)
	elapsed := time.Since(begun)
	select {
	case <-r.failed:
		err = errors.Join(r.failure, err)
	default:
	}
	if err != nil {
		return Result{}, err
	}
	total := &histogram.Histogram{}
	for i := range w.slots {
		s := &w.slots[i]
		s.mu.Lock()
		total.Merge(&s.histogram)
		s.mu.Unlock()
	}
	if total.Count() == 0 {
		return Result{}, fmt.Errorf("%d clients got no answer in %v", r.clients, elapsed)
	}
	return Result{Elapsed: elapsed, Latency: total}, nil
}

// Wait lets the clients work for a while; it ends early, with the cause, when
// one of them fails or ctx ends.
func (r *Running) Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-r.failed:
		return r.failure
	case <-ctx.Done():
		return ctx.Err()
	}
}

// AwaitAnswer returns once the open measurement has recorded an operation: a
// window that is short beside what one operation takes on a busy machine is made
// longer rather than empty. It answers an error after limit.
func (r *Running) AwaitAnswer(ctx context.Context, limit time.Duration) error {
	w := r.window.Load()
	if w == nil {
		return errors.New("await an answer: no measurement is open")
	}
	for deadline := time.Now().Add(limit); !w.answered(); {
		if time.Now().After(deadline) {
			return fmt.Errorf("%d clients got no answer in %v", r.clients, limit)
		}
		if err := r.Wait(ctx, answerInterval); err != nil {
			return err
		}
	}
	return nil
}

// Stop lets every client finish the operation that it is in, at most for grace,
// and waits for all. It answers the error that ended them, if one did.
func (r *Running) Stop(grace time.Duration) error {
	r.stopped.Store(true)
	timer := time.AfterFunc(grace, r.cancel)
	r.workers.Wait()
	timer.Stop()
	r.cancel()
	select {
	case <-r.failed:
		return r.failure
	default:
		return nil
	}
}

func (r *Running) work(ctx context.Context, client int, operation Operation) {
	for !r.stopped.Load() {
		begun := time.Now()
		if err := operation(ctx); err != nil {
			r.fail(client, err)
			return
		}
		took := time.Since(begun)
		if w := r.window.Load(); w != nil {
			s := &w.slots[client]
			s.mu.Lock()
			s.histogram.Record(took)
			s.mu.Unlock()
		}
	}
}

func (r *Running) fail(client int, err error) {
	r.failing.Do(func() {
		r.failure = fmt.Errorf("client %d: %w", client, err)
		r.stopped.Store(true)
		close(r.failed)
		r.cancel()
	})
}
