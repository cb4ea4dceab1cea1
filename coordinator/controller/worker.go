package controller

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/informer"
)

// worker is one controller at work.
type worker struct {
	Declaration

	runtime    *Runtime
	reconciler Reconciler
	settings   QueueSettings
	logger     hclog.Logger
	inputs     map[candor.KindName][]Input

	mu      sync.Mutex
	queue   *Queue
	floors  floors
	blocked blockades
	looks   looks
	counts  Counts
	errors  []Failure
}

func newWorker(r *Runtime, d Declaration, settings QueueSettings, logger hclog.Logger) *worker {
	d.Workers = max(1, d.Workers)
	w := &worker{Declaration: d, runtime: r, settings: settings, logger: logger, inputs: map[candor.KindName][]Input{}}
	for _, in := range d.Inputs {
		w.inputs[in.Kind] = append(w.inputs[in.Kind], in)
	}
	w.reset()
	return w
}

// reset begins anew; what was looked at and counted is kept.
func (w *worker) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = NewQueue(w.settings)
	w.floors = floors{}
	w.blocked = blockades{keys: map[candor.Ref]Blockade{}, on: map[candor.Ref]map[candor.Ref]bool{}}
}

func (w *worker) present() *Queue {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queue
}

// enqueueAll begins with everything there is, behind what changes.
func (w *worker) enqueueAll(now *informer.Reader) {
	q := w.present()
	for _, in := range w.Inputs {
		for item := range now.List(in.Kind, "") {
			cause := Cause{Reason: CauseStarted, Because: item.Version()}
			for _, ref := range w.keys(&in, &informer.Change{Ref: item.Ref(), After: item, Revision: item.Metadata.ResourceVersion}) {
				q.Add(ref, Background, cause, 0)
			}
		}
	}
}

// enqueue takes note of a change.
func (w *worker) enqueue(c *informer.Change) {
	q, cause := w.present(), causeOf(c)
	for i := range w.inputs[c.Ref.Kind] {
		in := &w.inputs[c.Ref.Kind][i]
		for _, ref := range w.keys(in, c) {
			q.AddGathered(ref, in.Gather, in.Priority, cause, c.Revision)
		}
	}
	for _, ref := range w.waitingFor(c.Ref) {
		q.Add(ref, Normal, Cause{Reason: CauseUnblocked, Because: cause.Because}, c.Revision)
	}
}

// keys are what an input makes of a change. Where its Map panics there are none: that is
// counted as a failure of the controller, and is not the store's.
func (w *worker) keys(in *Input, c *informer.Change) (refs []candor.Ref) {
	if in.Map == nil {
		return []candor.Ref{c.Ref}
	}
	defer func() {
		if p := recover(); p != nil {
			w.failed(c.Ref, OutcomePanicked, 0, panicked(p, debug.Stack()))
			refs = nil
		}
	}()
	return in.Map(*c)
}

func (w *worker) work(ctx context.Context) {
	q := w.present()
	for {
		r, more := q.Get()
		if !more {
			return
		}
		if ctx.Err() == nil {
			w.serve(ctx, q, r)
		}
		q.Done(r.Ref)
	}
}

// serve does one request, and says what follows.
func (w *worker) serve(ctx context.Context, q *Queue, r Request) {
	w.unblock(r.Ref)
	run := &run{worker: w, ref: r.Ref}
	result, err := w.reconcile(ctx, run, &r)
	if ctx.Err() != nil {
		return // whoever follows looks at everything
	}
	writes, revision := run.written()
	look := Look{Outcome: result.Outcome, Reason: result.Reason, Writes: writes, Revision: revision, At: time.Now()}
	if r.View != nil {
		look.Token = r.View.Token()
	}
	switch {
	case err != nil:
		look.Reason = err.Error()
		w.failed(r.Ref, result.Outcome, r.Attempt+1, err)
		q.Retry(r.Ref, retryAfter(err), Normal, Cause{Reason: CauseRetried, Message: brief(err)})
	case result.Outcome == OutcomeAfter:
		q.Forget(r.Ref)
		q.AddAfter(r.Ref, result.Delay, Normal, Cause{Reason: CauseDelayed, Message: result.Reason})
	case result.Outcome == OutcomeBlocked:
		q.Forget(r.Ref)
		w.block(q, &r, result)
	default:
		q.Forget(r.Ref)
	}
	w.looked(r.Ref, look)
}

// reconcile waits for the state that is to be looked at, and has it looked at. The
// outcome is set also where there is an error.
func (w *worker) reconcile(ctx context.Context, run *run, r *Request) (result Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			result, err = Result{Outcome: OutcomePanicked}, panicked(p, debug.Stack())
		}
	}()
	if err := w.reach(ctx, r); err != nil {
		return Result{Outcome: OutcomeFailed}, err
	}
	r.View = w.runtime.store.Read()
	run.read = r.View.Token()
	run.view = r.View
	result, err = w.reconciler.Reconcile(context.WithValue(ctx, runKey{}, run), *r)
	switch {
	case err != nil:
		return Result{Outcome: OutcomeFailed}, err
	case result.Outcome != OutcomeDone && result.Outcome != OutcomeAfter && result.Outcome != OutcomeBlocked:
		return Result{Outcome: OutcomeFailed}, candor.Errorf(candor.ReasonInternal,
			"controller %s returned outcome %q: want Done, After or Blocked", w.Name, result.Outcome)
	}
	return result, nil
}

func retryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*candor.Error](err); ok {
		return e.RetryAfter
	}
	return 0
}
