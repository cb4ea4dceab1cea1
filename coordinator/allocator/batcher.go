package allocator

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/candor-plane/candor"
)

// batcher serves concurrent callers from one window. Who finds enough reserved is
// served at once; the others wait in line, and one take serves all of them that a
// reservation has room for. It owns one goroutine, which reserves.
type batcher struct {
	settings Settings
	reserve  Reserve
	// floor is the lowest number that may be handed out now.
	floor func() (uint64, *candor.Error)

	stop  context.CancelFunc
	done  chan struct{}
	need  chan struct{}
	ended chan struct{}
	// turnedAway counts refusals, of which some are made outside the lock.
	turnedAway atomic.Uint64

	mu     sync.Mutex
	window Window
	line   []*waiter
	// ahead is how many numbers to reserve beyond what is needed.
	ahead uint64
	// over is why nothing is handed out any more.
	over  *candor.Error
	stats Stats
}

// waiter is a call in line. Its fields are the batcher's, under its lock.
type waiter struct {
	n       uint64
	settled bool
	answer  Range
	err     *candor.Error
	// ready is closed when it is settled.
	ready chan struct{}
}

func newBatcher(settings Settings, reserve Reserve, floor func() (uint64, *candor.Error)) *batcher {
	ctx, stop := context.WithCancel(context.Background())
	b := &batcher{
		settings: settings, reserve: reserve, floor: floor, stop: stop,
		done: make(chan struct{}), need: make(chan struct{}, 1), ended: make(chan struct{}),
		window: Begin(settings.Start).Granted(settings.Bound), ahead: settings.Ahead,
	}
	go b.reserving(ctx)
	return b
}

// take returns n numbers in a row.
func (b *batcher) take(ctx context.Context, n uint64) (Range, *candor.Error) {
	if err := ctx.Err(); err != nil {
		return Range{}, left(err)
	}
	r, w, err := b.enter(n)
	if err != nil || w == nil {
		return r, err
	}
	select {
	case <-w.ready:
		return w.answer, w.err
	case <-ctx.Done():
		return b.leave(w, ctx.Err())
	}
}

// enter serves a call, or puts it in line.
func (b *batcher) enter(n uint64) (Range, *waiter, *candor.Error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over != nil {
		return Range{}, nil, b.refused(b.over)
	}
	floor, err := b.floor()
	if err != nil {
		return Range{}, nil, b.refused(err)
	}
	if len(b.line) == 0 {
		if first, after, ok := b.window.Take(n, floor); ok {
			b.window = after
			if after.Left(floor) < b.spare(floor)/2 {
				b.wake()
			}
			return b.answered(first, n), nil, nil
		}
	}
	if _, ok := b.window.Want(n, floor); !ok {
		return Range{}, nil, candor.Errorf(candor.ReasonQuotaExceeded, "there are no %d numbers above %d in 64 bits", n, b.window.Used)
	}
	if len(b.line) >= b.settings.MaxWaiting {
		return Range{}, nil, b.refused(degraded("too many calls wait for a reservation"))
	}
	w := &waiter{n: n, ready: make(chan struct{})}
	b.line = append(b.line, w)
	b.stats.Waited++
	b.wake()
	return Range{}, w, nil
}

// leave is for a call whose context ended. What it was given meanwhile is its own.
func (b *batcher) leave(w *waiter, why error) (Range, *candor.Error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w.settled {
		return w.answer, w.err
	}
	for i, in := range b.line {
		if in == w {
			b.line = append(b.line[:i], b.line[i+1:]...)
			break
		}
	}
	// Somebody behind it may need less.
	b.serve()
	return Range{}, left(why)
}

// serve answers the head of the line, as far as what is reserved goes, with one take.
func (b *batcher) serve() {
	if len(b.line) == 0 {
		return
	}
	floor, err := b.floor()
	if err != nil {
		b.refuseAll(err)
		return
	}
	room, total, head := b.window.Left(floor), uint64(0), 0
	for head < len(b.line) && b.line[head].n <= room-total {
		total += b.line[head].n
		head++
	}
	first, after, ok := b.window.Take(total, floor)
	if !ok {
		return
	}
	b.window = after
	for _, w := range b.line[:head] {
		w.settle(b.answered(first, w.n), nil)
		first += w.n
	}
	clear(b.line[:head])
	if b.line = b.line[head:]; len(b.line) == 0 {
		b.line = nil
	}
}

func (b *batcher) refuseAll(err *candor.Error) {
	b.turnedAway.Add(uint64(len(b.line)))
	for _, w := range b.line {
		w.settle(Range{}, err)
	}
	b.line = nil
}

func (w *waiter) settle(r Range, err *candor.Error) {
	w.settled, w.answer, w.err = true, r, err
	close(w.ready)
}

func (b *batcher) answered(first, n uint64) Range {
	b.stats.Calls++
	b.stats.Numbers += n
	return Range{First: first, Count: n, Era: b.settings.Era}
}

func (b *batcher) refused(err *candor.Error) *candor.Error {
	b.turnedAway.Add(1)
	return err
}

// wake tells the reserving goroutine to look again.
func (b *batcher) wake() {
	select {
	case b.need <- struct{}{}:
	default:
	}
}

// left is the error of a call whose context ended before it was served: nothing was
// handed out.
func left(err error) *candor.Error {
	if errors.Is(err, context.DeadlineExceeded) {
		return candor.Errorf(candor.ReasonTimedOut, "no reservation came in time: nothing was handed out")
	}
	return candor.Errorf(candor.ReasonCanceled, "the call was given up: nothing was handed out")
}
