package client

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/candor-plane/candor"
)

// mostShared bounds the calls that share one request.
const mostShared = 1024

// line has concurrent calls for one number share requests: while one is on its way
// the next gathers. A call that finds nobody on the way goes by itself. Its goroutine
// lives while calls wait, and ends with the client.
type line struct {
	mu      sync.Mutex
	busy    bool // a request is on its way
	closed  bool
	waiting []*caller
	work    sync.WaitGroup // of who is busy
	// met is what the request on its way met last; nil for nothing.
	met atomic.Pointer[candor.Error]
}

// caller is a call for one number that waits.
type caller struct {
	ctx context.Context //nolint:containedctx // the call that waits owns it, and lasts as long
	// shared is the request that it is in; nil while it is in line.
	shared *shared
	ready  chan struct{} // closed once numbers and err are set
	got    Numbers
	err    error
}

// shared is one request of several calls. It is given up when all of them are.
type shared struct {
	calls  []*caller
	left   int
	cancel context.CancelFunc
}

// mayShare says whether a call may go along with others': one that has something of
// its own to say to the server may not.
func mayShare(ctx context.Context) bool {
	_, own := metadata.FromOutgoingContext(ctx)
	return !own
}

// one takes one number.
func (d *dispenser) one(ctx context.Context) (Numbers, error) {
	l := &d.line
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return Numbers{}, errClosed()
	}
	if !l.busy {
		l.busy = true
		l.work.Add(1)
		l.mu.Unlock()
		defer l.work.Done()
		got, err := d.ask(ctx, 1, &l.met)
		d.next()
		return got, err
	}
	w := &caller{ctx: ctx, ready: make(chan struct{})}
	l.waiting = append(l.waiting, w)
	l.mu.Unlock()
	select {
	case <-w.ready:
		return w.got, w.err
	case <-ctx.Done():
		return d.leave(w)
	}
}

// next begins the next request, if anybody waits for one.
func (d *dispenser) next() {
	d.line.met.Store(nil)
	if s := d.gather(); s != nil {
		d.line.work.Go(func() {
			for ; s != nil; s = d.gather() {
				d.share(s)
				d.line.met.Store(nil)
			}
		})
	}
}

// gather makes a request of those who wait; nil when nobody does.
func (d *dispenser) gather() *shared {
	l := &d.line
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(l.waiting), mostShared)
	if n == 0 {
		l.busy = false
		return nil
	}
	s := &shared{calls: l.waiting[:n:n], left: n}
	l.waiting = l.waiting[n:]
	for _, w := range s.calls {
		w.shared = s
	}
	return s
}

// share carries a request out, as long as the most patient of its calls waits, and
// gives each its number, in the order in which they came.
func (d *dispenser) share(s *shared) {
	ctx, cancel := context.WithDeadline(context.WithoutCancel(s.calls[0].ctx), s.until())
	defer cancel()
	d.line.mu.Lock()
	s.cancel = cancel
	if s.left == 0 {
		cancel()
	}
	d.line.mu.Unlock()
	got, err := d.ask(ctx, uint64(len(s.calls)), &d.line.met)
	for i, w := range s.calls {
		w.got, w.err = Numbers{First: got.First + uint64(i), Count: 1, Era: got.Era}, err
		if err != nil {
			w.got = Numbers{}
		}
		close(w.ready)
	}
}

func (s *shared) until() time.Time {
	var latest time.Time
	for _, w := range s.calls {
		if deadline, ok := w.ctx.Deadline(); ok && deadline.After(latest) {
			latest = deadline
		}
	}
	return latest
}

// leave is for a call whose context ended. A number that comes for it is lost.
func (d *dispenser) leave(w *caller) (Numbers, error) {
	l := &d.line
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-w.ready:
		return w.got, w.err
	default:
	}
	if s := w.shared; s == nil {
		for i, other := range l.waiting {
			if other == w {
				l.waiting = append(l.waiting[:i:i], l.waiting[i+1:]...)
				break
			}
		}
	} else if s.left--; s.left == 0 && s.cancel != nil {
		s.cancel()
	}
	if errors.Is(w.ctx.Err(), context.Canceled) {
		return Numbers{}, candor.Errorf(candor.ReasonCanceled, "the caller gave up")
	}
	e := candor.Error{Reason: candor.ReasonTimedOut, Subject: d.duty, Message: "no number came"}
	if met := l.met.Load(); met != nil {
		e = *met
	}
	e.Message += "; the deadline passed"
	e.Err = errors.Join(w.ctx.Err(), e.Err)
	return Numbers{}, &e
}

// wait returns once no call is under way, and lets no more begin; the client is
// closed.
func (d *dispenser) wait() {
	l := &d.line
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.work.Wait()
}
