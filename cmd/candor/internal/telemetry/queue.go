package telemetry

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// sink delivers spans. One goroutine calls it; Close comes last.
type sink interface {
	Deliver(ctx context.Context, spans []sdktrace.ReadOnlySpan) error
	Close() error
}

const (
	// mostQueued bounds the spans that wait, which are a kilobyte or two each.
	mostQueued = 4096
	// mostAtOnce and deliverEvery say when what waits is delivered.
	mostAtOnce   = 256
	deliverEvery = 500 * time.Millisecond
)

// queue takes spans from whoever ends one, without ever waiting, and delivers
// them from a goroutine of its own.
type queue struct {
	to      sink
	tell    func(error)
	waiting chan sdktrace.ReadOnlySpan

	delivered, dropped, failed atomic.Uint64
	// broken: the last delivery failed. The goroutine's own.
	broken bool

	closing   chan struct{}
	closed    atomic.Bool
	closeOnce sync.Once
	cancel    context.CancelFunc
	done      chan struct{}
}

var _ sdktrace.SpanProcessor = (*queue)(nil)

func newQueue(to sink, room int, tell func(error)) *queue {
	ctx, cancel := context.WithCancel(context.Background())
	q := &queue{
		to: to, tell: tell, waiting: make(chan sdktrace.ReadOnlySpan, room),
		closing: make(chan struct{}), cancel: cancel, done: make(chan struct{}),
	}
	go func() {
		defer close(q.done)
		q.run(ctx)
	}()
	return q
}

// OnStart does nothing.
func (q *queue) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd queues the span, or drops it.
func (q *queue) OnEnd(s sdktrace.ReadOnlySpan) {
	if q.closed.Load() {
		q.dropped.Add(1)
		return
	}
	select {
	case q.waiting <- s:
	default:
		q.dropped.Add(1)
	}
}

// ForceFlush does nothing: what waits is delivered within deliverEvery.
func (q *queue) ForceFlush(context.Context) error { return nil }

// Shutdown is close.
func (q *queue) Shutdown(ctx context.Context) error {
	q.close(ctx)
	return nil
}

// close returns when what waited is delivered, or soon after ctx ended.
func (q *queue) close(ctx context.Context) {
	q.closeOnce.Do(func() {
		q.closed.Store(true)
		close(q.closing)
	})
	stop := context.AfterFunc(ctx, q.cancel)
	defer stop()
	<-q.done
	q.cancel()
}

func (q *queue) run(ctx context.Context) {
	timer := time.NewTicker(deliverEvery)
	defer timer.Stop()
	batch := make([]sdktrace.ReadOnlySpan, 0, mostAtOnce)
	flush := func() {
		q.deliver(ctx, batch)
		clear(batch)
		batch = batch[:0]
	}
	for {
		select {
		case s := <-q.waiting:
			if batch = append(batch, s); len(batch) == mostAtOnce {
				flush()
			}
		case <-timer.C:
			flush()
		case <-q.closing:
			for len(q.waiting) > 0 {
				if batch = append(batch, <-q.waiting); len(batch) == mostAtOnce {
					flush()
				}
			}
			flush()
			q.report(q.to.Close())
			return
		}
	}
}

func (q *queue) deliver(ctx context.Context, batch []sdktrace.ReadOnlySpan) {
	if len(batch) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, exportTimeout)
	defer cancel()
	err := q.to.Deliver(ctx, batch)
	q.report(err)
	if err != nil {
		q.failed.Add(uint64(len(batch)))
		return
	}
	q.broken = false
	q.delivered.Add(uint64(len(batch)))
}

func (q *queue) report(err error) {
	if err == nil || q.broken {
		return
	}
	q.broken = true
	q.tell(err)
}
