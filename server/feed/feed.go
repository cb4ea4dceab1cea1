// Package feed wakes whoever waits for a kind to change. One goroutine watches
// the applied index while anyone waits; waiters of kinds that did not change
// stay asleep.
//
// It guarantees that a waiter is woken for every revision that touches its
// kind and says nothing of what changed: the view does. Watches call it; it
// may be called concurrently.
package feed

import (
	"context"
	"slices"
	"sync"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
)

// Applied is what the feed needs of the replica.
type Applied interface {
	WaitApplied(ctx context.Context, index uint64) error
}

// Feed is the wake-up list of one node.
type Feed struct {
	machine *fsm.Machine
	applied Applied
	cancel  context.CancelFunc
	done    chan struct{}

	mu    sync.Mutex
	kinds map[candor.KindName]*signal
	// waited gets a value when the first waiter comes.
	waited chan struct{}
}

// signal is closed when its kind was touched last at another revision: a later
// one, or an earlier one where a wrong view was rebuilt.
type signal struct {
	revision uint64
	changed  chan struct{}
}

// New starts a feed. Close ends it.
func New(machine *fsm.Machine, applied Applied) *Feed {
	if machine == nil || applied == nil {
		panic("feed: machine and applied are required")
	}
	ctx, cancel := context.WithCancel(context.Background())
	f := &Feed{machine: machine, applied: applied, cancel: cancel, done: make(chan struct{}), kinds: map[candor.KindName]*signal{}, waited: make(chan struct{}, 1)}
	go f.run(ctx)
	return f
}

// Close ends the feed and waits for its goroutine. Waiters keep waiting for
// their own contexts.
func (f *Feed) Close() {
	f.cancel()
	<-f.done
}

// What stands for more than one kind.
const (
	// rights are roles, bindings and tokens.
	rights candor.KindName = "rights"
	// membership are transitions and the configuration.
	membership candor.KindName = "membership"
	// work is what controllers and the scheduler look at.
	work candor.KindName = "work"
)

// WorkKinds are the kinds that controllers and the scheduler look at.
func WorkKinds() []candor.KindName { return slices.Clone(workKinds[:]) }

var workKinds = [...]candor.KindName{
	candor.KindDisruptionBudgets, candor.KindFailurePolicies, candor.KindInstances, candor.KindNodes, candor.KindPriorityClasses, candor.KindWorkloads,
}

// touched is the revision that the view last changed the kind at, or a number that
// changes likewise.
func touched(view *fsm.View, kind candor.KindName) uint64 {
	switch kind {
	case rights:
		return view.Policy().Revision()
	case membership:
		// Neither goes back while the other goes on: see Adopt for when one does.
		return view.Touched(candor.KindTransitions) + view.Configuration().Index
	case work:
		newest := uint64(0)
		for _, kind := range workKinds {
			newest = max(newest, view.Touched(kind))
		}
		return newest
	default:
		return view.Touched(kind)
	}
}

// Membership is Changed for transitions, and for who the members are.
func (f *Feed) Membership() (*fsm.View, <-chan struct{}) { return f.Changed(membership) }

// Work is Changed for the kinds that controllers and the scheduler look at.
func (f *Feed) Work() (*fsm.View, <-chan struct{}) { return f.Changed(work) }

// Rights is Changed for what rights come from: roles, bindings and tokens.
func (f *Feed) Rights() (*fsm.View, <-chan struct{}) { return f.Changed(rights) }

// Changed returns the newest view and a channel that is closed once a later
// view has touched the kind.
func (f *Feed) Changed(kind candor.KindName) (*fsm.View, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.kinds[kind]
	view := f.machine.View()
	if touched := touched(view, kind); s == nil || touched != s.revision {
		if s != nil {
			close(s.changed)
		}
		s = &signal{revision: touched, changed: make(chan struct{})}
		f.kinds[kind] = s
		select {
		case f.waited <- struct{}{}:
		default:
		}
	}
	return view, s.changed
}

func (f *Feed) run(ctx context.Context) {
	defer close(f.done)
	for {
		view := f.machine.View()
		if !f.wake(view) {
			select {
			case <-f.waited:
				continue
			case <-ctx.Done():
				return
			}
		}
		if f.applied.WaitApplied(ctx, view.Token().Index+1) != nil {
			return
		}
	}
}

// wake tells those whose kind has changed, and whether others still wait.
func (f *Feed) wake(view *fsm.View) (others bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for kind, s := range f.kinds {
		if touched(view, kind) != s.revision {
			close(s.changed)
			delete(f.kinds, kind)
		}
	}
	return len(f.kinds) > 0
}
