package controller

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/informer"
)

// Config of a Runtime. Store, Writer, Controllers and Logger are required.
type Config struct {
	// Store is where the objects come from; whoever made it feeds it.
	Store *informer.Store
	// Writer carries out what the controllers decide, under the tenure.
	Writer      Writer
	Controllers []Controller
	Logger      hclog.Logger
	// Queue is for each controller's own.
	Queue QueueSettings
	// Settle is how long a reconcile waits for the store to show what was written before;
	// after that it counts as failed. Default 5 s.
	Settle time.Duration
}

// Runtime has controllers reconcile what changes in a store.
type Runtime struct {
	store       *informer.Store
	logger      hclog.Logger
	settle      time.Duration
	controllers []*worker
	running     atomic.Bool

	mu  sync.Mutex
	end context.CancelFunc // of the run under way
	err error              // that ended it
}

// New returns a runtime of controllers. The error is INVALID or UNKNOWN_KIND for
// declarations that do not fit the store or each other. It panics without what Config
// requires.
func New(config Config) (*Runtime, error) {
	if config.Store == nil || config.Writer == nil || config.Logger == nil {
		panic("controller: store, writer and logger are required")
	}
	if err := check(config.Store.Read(), config.Controllers); err != nil {
		return nil, err
	}
	r := &Runtime{store: config.Store, logger: config.Logger, settle: orDefault(config.Settle, 5*time.Second)}
	for i := range config.Controllers {
		c := &config.Controllers[i]
		if c.Make == nil {
			panic("controller: " + c.Name + " has nobody who does the work")
		}
		w := newWorker(r, c.Declaration, config.Queue, config.Logger.Named(c.Name))
		w.reconciler = c.Make(&outlet{worker: w, writer: config.Writer})
		r.controllers = append(r.controllers, w)
	}
	return r, nil
}

// Run begins with every object of the inputs, once the store is filled, and goes on with
// what changes, until ctx ends: then it waits for reconciles that are under way, whose
// context ends too, and returns nil. It returns an error when the right to write has
// ended, ERA_STALE or FORBIDDEN. It may run again, with empty queues, but not twice at
// once.
func (r *Runtime) Run(ctx context.Context) error {
	if !r.running.CompareAndSwap(false, true) {
		return candor.Errorf(candor.ReasonConflict, "the controllers are running already")
	}
	defer r.running.Store(false)
	if err := r.store.WaitFor(ctx, 0); err != nil {
		return nil // it fails only when ctx has ended
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.begin(cancel)
	now, unsubscribe := r.store.Subscribe(r.enqueue)
	var workers sync.WaitGroup
	for _, w := range r.controllers {
		w.enqueueAll(now)
		for range w.Workers {
			workers.Go(func() { w.work(ctx) })
		}
	}
	<-ctx.Done()
	unsubscribe()
	for _, w := range r.controllers {
		w.present().ShutDown()
	}
	workers.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Enqueue has a controller look at a key, for a reason that no input has, at a state
// that has reached minRevision. NOT_FOUND: there is no such controller.
func (r *Runtime) Enqueue(controller string, ref candor.Ref, priority Priority, cause Cause, minRevision uint64) error {
	w := r.controller(controller)
	if w == nil {
		return candor.Errorf(candor.ReasonNotFound, "there is no controller %s", controller)
	}
	if minRevision > 0 {
		w.require(ref, minRevision, nil)
	}
	w.present().Add(ref, min(max(priority, Background), Urgent), cause, minRevision)
	return nil
}

func (r *Runtime) controller(name string) *worker {
	for _, w := range r.controllers {
		if w.Name == name {
			return w
		}
	}
	return nil
}

func (r *Runtime) begin(cancel context.CancelFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end, r.err = cancel, nil
	for _, w := range r.controllers {
		w.reset()
	}
}

// over ends the run with an error; the first counts.
func (r *Runtime) over(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = candor.Wrap("controllers", err)
	}
	r.end()
}

// enqueue is the runtime's handler in the store.
func (r *Runtime) enqueue(batch informer.Batch) {
	for _, w := range r.controllers {
		for i := range batch.Changes {
			w.enqueue(&batch.Changes[i])
		}
	}
}

// panicked is the error of what did not return.
func panicked(p any, stack []byte) error {
	return candor.Errorf(candor.ReasonInternal, "panic: %v\n%s", p, stack)
}

func causeOf(c *informer.Change) Cause {
	cause := Cause{Reason: CauseChanged, Because: candor.VersionRef{Ref: c.Ref, Revision: c.Revision}}
	switch {
	case c.After == nil:
		cause.Reason = CauseDeleted
	case c.Before == nil:
		cause.Reason = CauseCreated
	}
	return cause
}
