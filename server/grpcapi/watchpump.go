package grpcapi

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/candor-plane/candor"
)

// errNoRoom says that a watch would have to wait. Nothing of what was to be sent was.
var errNoRoom = errors.New("the watch has no room")

// pump delivers to the watches of one kind on one stream, all from one goroutine, so
// that a version does not wake that of each. A watch's own goroutine still does
// whatever else there is to do, and takes the watch back for it; it goes on by itself
// where the watch would have to wait.
type pump struct {
	of      *watchStream
	kind    candor.KindName
	changes Changes
	// joined gets a value when a watch was given.
	joined chan struct{}
	cancel context.CancelFunc

	mu    sync.Mutex
	seats []*seat
}

// seat is a watch's place at a pump. Its fields are guarded by the pump's lock.
type seat struct {
	pump  *pump
	watch *watch
	// driven: the watch is the pump's, and its goroutine leaves it alone.
	driven bool
	err    error
	// back gets a value when the pump has let go of the watch.
	back chan struct{}
}

// sit gives a watch its place at its kind's pump. One by itself has none: its seat is
// nil.
func (w *watch) sit() *seat {
	if w.carried == nil {
		return nil
	}
	s := w.carried.of
	s.pumping.Lock()
	defer s.pumping.Unlock()
	p := s.pumps[w.kind]
	if p == nil {
		ctx, cancel := context.WithCancel(s.ctx)
		p = &pump{of: s, kind: w.kind, changes: w.service.changes, joined: make(chan struct{}, 1), cancel: cancel}
		s.pumps[w.kind] = p
		s.watches.Go(func() { p.run(ctx) })
	}
	t := &seat{pump: p, watch: w, back: make(chan struct{}, 1)}
	p.mu.Lock()
	p.seats = append(p.seats, t)
	p.mu.Unlock()
	return t
}

// leave ends the watch's place; a pump without watches ends, too.
func (t *seat) leave() {
	if t == nil {
		return
	}
	p := t.pump
	p.of.pumping.Lock()
	defer p.of.pumping.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seats = slices.DeleteFunc(p.seats, func(other *seat) bool { return other == t })
	if len(p.seats) == 0 {
		p.cancel()
		delete(p.of.pumps, p.kind)
	}
}

// give lets the pump deliver, until the watch is taken back or something comes from
// the channel that is returned: changed, where there is no pump.
func (t *seat) give(changed <-chan struct{}) <-chan struct{} {
	if t == nil {
		return changed
	}
	t.pump.mu.Lock()
	t.driven = true
	t.pump.mu.Unlock()
	select {
	case t.pump.joined <- struct{}{}: // what changed since is delivered now
	default:
	}
	return t.back
}

// take ends what give began. The error ends the watch.
func (t *seat) take() error {
	if t == nil {
		return nil
	}
	t.pump.mu.Lock()
	defer t.pump.mu.Unlock()
	t.driven = false
	select {
	case <-t.back:
	default:
	}
	return t.err
}

func (p *pump) run(ctx context.Context) {
	for {
		changed := p.pass()
		p.of.awake()
		select {
		case <-changed:
		case <-p.joined:
		case <-ctx.Done():
			return
		}
	}
}

// pass delivers to every watch what it has room for.
func (p *pump) pass() (changed <-chan struct{}) {
	view, changed := p.changes.Changed(p.kind)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.seats {
		if !t.driven {
			continue
		}
		t.watch.carried.pushed = true
		err := t.watch.deliver(view)
		t.watch.carried.pushed = false
		if err == nil {
			continue
		}
		t.driven = false
		if !errors.Is(err, errNoRoom) {
			t.err = err
		}
		t.back <- struct{}{} // there is room: nothing came from here since the watch was given
	}
	return changed
}
