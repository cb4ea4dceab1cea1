package fleet

import (
	"container/heap"
	"context"
	"encoding/json"
	"maps"
	"sync"
	"time"

	"github.com/candor-plane/candor"
)

// Holder knows which nodes are the fleet's, by UID.
type Holder interface {
	UID(node string) string
	ID() string
}

// Teller is told what is observed.
type Teller interface {
	Known(uid string, ref candor.Ref, observed candor.InstanceObserved)
	Report(uid string, ref candor.Ref, observed candor.InstanceObserved)
	Forget(uid string)
}

// stage is where instances are played. What is due to happen, run makes happen.
type stage struct {
	holder    Holder
	teller    Teller
	delay     time.Duration
	failEvery int

	mu     sync.Mutex
	actors map[string]*actor
	// early are those placed on a node of the fleet's name and another UID: it may be the
	// node's next one, which the fleet does not know yet. By UID.
	early   map[string]*candor.Object
	due     agenda
	wake    chan struct{}
	starts  int
	running int
}

// actor is an instance that is played.
type actor struct {
	uid      string
	ref      candor.Ref
	restart  candor.RestartPolicy
	observed candor.InstanceObserved
	// fails: the next thing that happens is that it ends.
	fails bool
	turn  int // counts what was put on the agenda: only the newest counts
}

const (
	// failsAfter is how long one runs that is to fail, restartAfter how long it waits.
	failsAfter   = 500 * time.Millisecond
	restartAfter = time.Second
	// exitStopped is the code of a process that SIGTERM ended.
	exitStopped = 143
	exitFailed  = 1
)

func newStage(holder Holder, teller Teller, delay time.Duration, failEvery int) *stage {
	return &stage{holder: holder, teller: teller, delay: delay, failEvery: failEvery, actors: map[string]*actor{}, early: map[string]*candor.Object{}, wake: make(chan struct{}, 1)}
}

func (s *stage) count() (instances, running int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.actors), s.running
}

// Reset forgets those that are not there.
func (s *stage) Reset(instances []*candor.Object) {
	present := make(map[string]bool, len(instances))
	for _, o := range instances {
		present[o.Metadata.UID] = true
		s.Changed(o)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for uid := range maps.All(s.actors) {
		if !present[uid] {
			s.forget(uid)
		}
	}
	maps.DeleteFunc(s.early, func(uid string, _ *candor.Object) bool { return !present[uid] })
}

// Gone forgets the instance.
func (s *stage) Gone(o *candor.Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(o.Metadata.UID)
}

func (s *stage) forget(uid string) {
	delete(s.early, uid)
	a := s.actors[uid]
	if a == nil {
		return
	}
	a.turn++
	s.is(a, "")
	delete(s.actors, uid)
	s.teller.Forget(uid)
}

// Changed plays an instance of the fleet's.
func (s *stage) Changed(o *candor.Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed(o)
}

func (s *stage) changed(o *candor.Object) {
	var status candor.InstanceStatus
	if len(o.Status) == 0 || json.Unmarshal(o.Status, &status) != nil || status.Node == "" {
		return
	}
	a := s.actors[o.Metadata.UID]
	if a == nil {
		switch s.holder.UID(status.Node) {
		case status.NodeUID:
		case "":
			return
		default:
			s.early[o.Metadata.UID] = o
			return
		}
		delete(s.early, o.Metadata.UID)
		a = s.enter(o)
	}
	if (o.Terminating() || status.Phase.Ended()) && a.observed.State != candor.ProcessExited {
		code := int32(exitStopped)
		s.exit(a, &code)
	}
}

// registeredAgain plays what was placed on a node before its UID was known here.
func (s *stage) registeredAgain(string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range maps.Clone(s.early) {
		s.changed(o)
	}
}

// enter has the instance begin, or go on where a fleet before left it.
func (s *stage) enter(o *candor.Object) *actor {
	a := &actor{uid: o.Metadata.UID, ref: candor.Ref{Kind: candor.KindInstances, Namespace: o.Metadata.Namespace, Name: o.Metadata.Name}}
	s.actors[a.uid] = a
	var spec candor.InstanceSpec
	if json.Unmarshal(o.Spec, &spec) == nil {
		a.restart = spec.Restart
	}
	var before candor.InstanceObserved
	if len(o.Observed) > 0 && json.Unmarshal(o.Observed, &before) == nil {
		s.teller.Known(a.uid, a.ref, before)
	}
	switch before.State {
	case candor.ProcessRunning, candor.ProcessExited:
		a.observed = before
		a.observed.Session = s.holder.ID()
		state := a.observed.State
		a.observed.State = ""
		s.is(a, state)
		s.teller.Report(a.uid, a.ref, a.observed)
	default:
		a.observed.Restarts = before.Restarts
		s.begin(a)
	}
	return a
}

// is has the instance be in a state.
func (s *stage) is(a *actor, state candor.ProcessState) {
	if a.observed.State == candor.ProcessRunning {
		s.running--
	}
	if state == candor.ProcessRunning {
		s.running++
	}
	a.observed.State = state
}

func (s *stage) begin(a *actor) {
	s.starts++
	a.fails = s.failEvery > 0 && s.starts%s.failEvery == 0
	a.observed = candor.InstanceObserved{State: a.observed.State, Session: s.holder.ID(), Restarts: a.observed.Restarts, ExitCode: a.observed.ExitCode}
	s.is(a, candor.ProcessStarting)
	if s.delay == 0 {
		s.up(a)
		return
	}
	s.teller.Report(a.uid, a.ref, a.observed)
	s.later(a, s.delay)
}

func (s *stage) up(a *actor) {
	s.is(a, candor.ProcessRunning)
	a.observed.StartedAt = time.Now().UTC()
	a.observed.Ready, a.observed.ReadySince = true, a.observed.StartedAt
	s.teller.Report(a.uid, a.ref, a.observed)
	if a.fails {
		s.later(a, failsAfter)
	}
}

// exit ends the process: for good with the code of one that was stopped, and where its
// policy does not start it again.
func (s *stage) exit(a *actor, code *int32) {
	a.turn++
	state := candor.ProcessExited
	if *code == exitFailed && a.restart != candor.RestartNever {
		state = candor.ProcessWaiting
		a.observed.Restarts++
		s.later(a, restartAfter)
	}
	s.is(a, state)
	a.observed.Ready, a.observed.ReadySince, a.observed.EndedAt, a.observed.ExitCode = false, time.Time{}, time.Now().UTC(), code
	s.teller.Report(a.uid, a.ref, a.observed)
}

// happens is what is due for the instance.
func (s *stage) happens(a *actor) {
	switch a.observed.State {
	case candor.ProcessStarting:
		s.up(a)
	case candor.ProcessRunning:
		code := int32(exitFailed)
		s.exit(a, &code)
	case candor.ProcessWaiting:
		s.begin(a)
	default:
	}
}

// event is what is due to happen to an instance.
type event struct {
	at    time.Time
	actor *actor
	turn  int
}

// agenda is a heap by time.
type agenda []event

func (g agenda) Len() int           { return len(g) }
func (g agenda) Less(i, j int) bool { return g[i].at.Before(g[j].at) }
func (g agenda) Swap(i, j int)      { g[i], g[j] = g[j], g[i] }

// Push appends for package heap.
func (g *agenda) Push(x any) { *g = append(*g, x.(event)) } //nolint:forcetypeassert // later alone pushes

// Pop takes the last for package heap.
func (g *agenda) Pop() any {
	last := len(*g) - 1
	e := (*g)[last]
	(*g)[last] = event{}
	*g = (*g)[:last]
	return e
}

func (s *stage) later(a *actor, d time.Duration) {
	a.turn++
	heap.Push(&s.due, event{at: time.Now().Add(d), actor: a, turn: a.turn})
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run makes happen what is due, until ctx ends.
func (s *stage) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if wait := s.advance(time.Now()); wait > 0 {
			timer.Reset(wait)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
	}
}

// advance makes happen what is due by now, and says how long nothing is; 0 for ever.
func (s *stage) advance(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.due) > 0 {
		if wait := s.due[0].at.Sub(now); wait > 0 {
			return wait
		}
		e := heap.Pop(&s.due).(event) //nolint:forcetypeassert // later alone pushes
		if e.turn == e.actor.turn {
			s.happens(e.actor)
		}
	}
	return 0
}
