package worker

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
)

// Reporter tells the cluster what is observed of instances: of each the newest, once,
// and no observation after a newer one. What cannot be told now is told later; what
// was overtaken meanwhile is not. Its methods may be called concurrently.
type Reporter struct {
	instances Instances
	writers   int
	log       hclog.Logger

	mu      sync.Mutex
	wake    *sync.Cond // of mu: due grew, or closed
	entries map[string]*entry
	due     []*entry
	closed  bool
	told    uint64
}

type entry struct {
	uid  string
	ref  candor.Ref
	want candor.InstanceObserved
	// known is what the cluster has, where that is known.
	known *candor.InstanceObserved
	// queued: in due, under way, or waiting to be tried again.
	queued    bool
	forgotten bool
	pause     backoff
	timer     *time.Timer
}

// NewReporter returns a Reporter that has at most so many observations under way.
func NewReporter(instances Instances, writers int, logger hclog.Logger) *Reporter {
	if instances == nil || writers <= 0 || logger == nil {
		panic("worker: a reporter needs instances, writers and a logger")
	}
	r := &Reporter{instances: instances, writers: writers, log: logger, entries: map[string]*entry{}}
	r.wake = sync.NewCond(&r.mu)
	return r
}

// Run tells, until ctx ends, and returns when nothing is under way any more.
func (r *Reporter) Run(ctx context.Context) {
	stop := context.AfterFunc(ctx, r.close)
	defer stop()
	var all sync.WaitGroup
	for range r.writers {
		all.Go(func() {
			for e := r.take(); e != nil; e = r.take() {
				r.tell(ctx, e)
			}
		})
	}
	all.Wait()
}

func (r *Reporter) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, e := range r.entries {
		if e.timer != nil {
			e.timer.Stop()
		}
	}
	r.wake.Broadcast()
}

// Known says what the cluster has of an instance already.
func (r *Reporter) Known(uid string, ref candor.Ref, observed candor.InstanceObserved) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.entries[uid]; e != nil {
		return // what was told since is newer
	}
	r.entries[uid] = &entry{uid: uid, ref: ref, want: observed, known: &observed, pause: writing()}
}

// Report has the cluster know what is observed of an instance, unless it does.
func (r *Reporter) Report(uid string, ref candor.Ref, observed candor.InstanceObserved) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.entries[uid]
	if e == nil {
		e = &entry{uid: uid, ref: ref, pause: writing()}
		r.entries[uid] = e
	}
	e.want = observed
	if !e.queued && !e.settled() {
		r.queue(e)
	}
}

// Forget drops an instance that the cluster does not know any more.
func (r *Reporter) Forget(uid string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.entries[uid]; e != nil {
		e.forgotten = true
		delete(r.entries, uid)
	}
}

// Pending is how many observations are not told yet, Told how many were.
func (r *Reporter) Pending() (pending int, told uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.entries {
		if !e.settled() {
			pending++
		}
	}
	return pending, r.told
}

func writing() backoff { return backoff{first: 100 * time.Millisecond, last: 5 * time.Second} }

func (e *entry) settled() bool { return e.known != nil && same(*e.known, e.want) }

// same compares what is observed by what it says: instants are points in time,
// whatever their zone.
func same(a, b candor.InstanceObserved) bool {
	if (a.ExitCode == nil) != (b.ExitCode == nil) || a.ExitCode != nil && *a.ExitCode != *b.ExitCode {
		return false
	}
	if !a.StartedAt.Equal(b.StartedAt) || !a.ReadySince.Equal(b.ReadySince) || !a.EndedAt.Equal(b.EndedAt) {
		return false
	}
	a.StartedAt, a.ReadySince, a.EndedAt, a.ExitCode = b.StartedAt, b.ReadySince, b.EndedAt, b.ExitCode
	return a == b
}

func (r *Reporter) queue(e *entry) {
	e.queued = true
	r.due = append(r.due, e)
	r.wake.Signal()
}

// take waits for an entry that is due; nil when the reporter is closed.
func (r *Reporter) take() *entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.due) == 0 && !r.closed {
		r.wake.Wait()
	}
	if r.closed {
		return nil
	}
	e := r.due[0]
	r.due[0] = nil
	r.due = r.due[1:]
	return e
}

// tell observes the entry's newest. The entry is queued meanwhile, so that nobody else
// tells of it.
func (r *Reporter) tell(ctx context.Context, e *entry) {
	r.mu.Lock()
	want, over := e.want, e.forgotten || e.settled()
	e.queued = !over
	r.mu.Unlock()
	if over {
		return
	}
	err := r.instances.Observe(ctx, e.ref, e.uid, want)
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.forgotten || r.closed {
		return
	}
	switch reason := candor.ReasonOf(err); reason {
	case "":
		r.told++
		e.known = &want
		e.pause = writing()
		e.queued = false
		if !e.settled() {
			r.queue(e)
		}
	case candor.ReasonNotFound:
		// The instance is gone: nothing is left to tell.
		e.forgotten = true
		delete(r.entries, e.uid)
	default:
		// Of a CONFLICT the name may be another instance's by now: then this one is
		// forgotten as soon as that is heard.
		if reason != candor.ReasonConflict && reason.Disposition().Retry == candor.RetryNever {
			// Somebody may give the right, or a newer server take what this one does not.
			r.log.Error("an observation was refused", "instance", e.ref.String(), "uid", e.uid, "error", err)
			e.pause.first = e.pause.last
		} else if e.pause.next == 0 {
			r.log.Debug("an observation is not told yet", "instance", e.ref.String(), "uid", e.uid, "error", err)
		}
		e.timer = time.AfterFunc(e.pause.grow(), func() { r.again(e) })
	}
}

func (r *Reporter) again(e *entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed && !e.forgotten {
		r.queue(e)
	}
}

// knows says whether the instance is one that the cluster may have.
func (r *Reporter) knows(uid string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.entries[uid] != nil
}
