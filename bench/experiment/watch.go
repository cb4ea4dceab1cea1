package experiment

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/candor-plane/candor/bench/histogram"
	"github.com/candor-plane/candor/bench/load"
	"github.com/candor-plane/candor/bench/system"
)

const (
	// writesAhead is how many writes the writer may be ahead of the slowest
	// watcher: enough to keep the servers busy, few enough that the latency is
	// that of delivery and not of a backlog.
	writesAhead = 4
	// mostWrites bounds one measurement.
	mostWrites = 1 << 17
	// readyTimeout bounds how long all watches may take to be confirmed.
	readyTimeout = 30 * time.Second
)

var watchMetrics = []Metric{
	{Name: "rate", Unit: "event/s", Better: Higher},
	{Name: "p50", Unit: "ms", Better: Lower},
	{Name: "p99", Unit: "ms", Better: Lower},
}

// watches has one writer write one object, and so many watchers, spread over
// all members, receive every version of it. Latency is from before the write was
// sent to its delivery.
func watches(watchers int) func(context.Context, *Subject) (Values, error) {
	return func(ctx context.Context, s *Subject) (Values, error) {
		conns, err := s.dial(ctx, watchers, s.others(-1)...)
		if err != nil {
			return nil, err
		}
		defer func() { _ = closeAll(conns) }()
		writer, err := s.dialLeader(ctx, 1)
		if err != nil {
			return nil, err
		}
		defer func() { _ = closeAll(writer) }()
		f := newFan(watchers)
		return f.measure(ctx, s, writer[0], conns)
	}
}

// fan is one writer's versions and what the watchers have seen of them.
type fan struct {
	// sent[k] is when write k was about to be sent, in nanoseconds since base;
	// left[k] counts down the watchers that have yet to see it.
	sent []atomic.Int64
	left []atomic.Int32
	base time.Time

	room     chan struct{}
	ready    chan struct{}
	failed   chan error
	open     atomic.Bool
	recorded atomic.Bool
	watchers []watcher
}

type watcher struct {
	mu       sync.Mutex
	latency  histogram.Histogram
	seen     int
	last     uint64
	disorder error
}

func newFan(watchers int) *fan {
	f := &fan{
		sent: make([]atomic.Int64, mostWrites), left: make([]atomic.Int32, mostWrites), base: time.Now(),
		room: make(chan struct{}, writesAhead), ready: make(chan struct{}, watchers), failed: make(chan error, watchers),
		watchers: make([]watcher, watchers),
	}
	for k := range f.left {
		f.left[k].Store(int32(watchers))
	}
	return f
}

func (f *fan) measure(ctx context.Context, s *Subject, writer system.Conn, conns []system.Conn) (Values, error) {
	object := s.items[0]
	watching, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	for i := range f.watchers {
		running.Go(func() {
			w := &f.watchers[i]
			err := conns[i%len(conns)].Watch(watching, object,
				func() { f.ready <- struct{}{} },
				func(version uint64) { f.deliver(w, version) })
			if err != nil {
				f.failed <- err
			}
		})
	}
	defer running.Wait()
	defer stop()
	if err := f.awaitReady(ctx); err != nil {
		return nil, err
	}
	wrote, err := f.write(ctx, s, writer)
	if err != nil {
		return nil, err
	}
	return f.values(wrote)
}

func (f *fan) awaitReady(ctx context.Context) error {
	timeout := time.NewTimer(readyTimeout)
	defer timeout.Stop()
	for n := range f.watchers {
		select {
		case <-f.ready:
		case err := <-f.failed:
			return err
		case <-timeout.C:
			return fmt.Errorf("%d of %d watches confirmed after %v", n, len(f.watchers), readyTimeout)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// wrote is what the writer did: how many versions, the last of them, and for how
// long deliveries were recorded.
type wrote struct {
	versions int
	last     uint64
	elapsed  time.Duration
}

// write runs the writer for one warm-up and one window, then waits until every
// watcher has seen the last version.
func (f *fan) write(ctx context.Context, s *Subject, writer system.Conn) (wrote, error) {
	k, last := 0, uint64(0)
	running := load.Start(ctx, []load.Operation{func(ctx context.Context) error {
		if k == mostWrites {
			return fmt.Errorf("more than %d writes in one measurement", mostWrites)
		}
		select {
		case f.room <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		f.sent[k].Store(int64(time.Since(f.base)))
		written, err := writer.Update(ctx, s.item(0))
		if err != nil {
			return err
		}
		k++
		return newer(written, &last)
	}})
	var elapsed time.Duration
	err := running.Wait(ctx, s.Plan.Warm)
	if err == nil {
		begun := time.Now()
		f.open.Store(true)
		err = running.Wait(ctx, s.Plan.Window)
		for limit := time.Now().Add(stopGrace); err == nil && !f.recorded.Load() && time.Now().Before(limit); {
			err = running.Wait(ctx, quietSpan)
		}
		f.open.Store(false)
		elapsed = time.Since(begun)
	}
	// The writer may wait for room that a stuck watcher never makes: the grace
	// ends it.
	if stopped := running.Stop(stopGrace); err == nil {
		err = stopped
	}
	if err != nil {
		return wrote{}, errors.Join(err, f.watchFailure())
	}
	return wrote{versions: k, last: last, elapsed: elapsed}, f.drain(ctx)
}

// drain waits until no write is on its way to any watcher.
func (f *fan) drain(ctx context.Context) error {
	timeout := time.NewTimer(stopGrace)
	defer timeout.Stop()
	for range writesAhead {
		select {
		case f.room <- struct{}{}:
		case err := <-f.failed:
			return err
		case <-timeout.C:
			return fmt.Errorf("some watcher has not seen every version %v after the last write", stopGrace)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (f *fan) deliver(w *watcher, version uint64) {
	now := time.Since(f.base)
	w.mu.Lock()
	k := w.seen
	w.seen++
	if k >= mostWrites {
		w.disorder = fmt.Errorf("version %d delivered after more than all writes", version)
		w.mu.Unlock()
		return
	}
	if version <= w.last && w.disorder == nil {
		w.disorder = fmt.Errorf("version %d delivered after %d", version, w.last)
	}
	w.last = version
	if f.open.Load() {
		w.latency.Record(now - time.Duration(f.sent[k].Load()))
		if !f.recorded.Load() {
			f.recorded.Store(true)
		}
	}
	w.mu.Unlock()
	if f.left[k].Add(-1) == 0 {
		<-f.room
	}
}

// values refuses a measurement in which a watcher saw other than every version
// once and in order.
func (f *fan) values(by wrote) (Values, error) {
	total := &histogram.Histogram{}
	for i := range f.watchers {
		w := &f.watchers[i]
		w.mu.Lock()
		total.Merge(&w.latency)
		seen, newest, disorder := w.seen, w.last, w.disorder
		w.mu.Unlock()
		if disorder != nil || seen != by.versions || newest != by.last {
			return nil, fmt.Errorf("watcher %d saw %d versions up to %d, wanted %d up to %d, in order (%w)", i, seen, newest, by.versions, by.last, disorder)
		}
	}
	if total.Count() == 0 {
		return nil, fmt.Errorf("%d watchers received nothing in %v", len(f.watchers), by.elapsed)
	}
	return Values{
		"rate": float64(total.Count()) / by.elapsed.Seconds(),
		"p50":  milliseconds(total.Quantile(0.50)),
		"p99":  milliseconds(total.Quantile(0.99)),
	}, nil
}

func (f *fan) watchFailure() error {
	select {
	case err := <-f.failed:
		return err
	default:
		return nil
	}
}
