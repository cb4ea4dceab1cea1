package monitor

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/scheduler"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/informer"
)

// Config of a Monitor; all of it is required.
type Config struct {
	// Store is the copy, with an index of instances by candor/workload.
	Store  *informer.Store
	Root   Root
	Writer controller.Writer
	// Now is the cluster time in nanoseconds, never behind a heartbeat that Root shows.
	Now    func() int64
	Logger hclog.Logger
}

const (
	// A look follows the one before after at least lookAfter, and at most lookWithin; and
	// not before share times what the one before took, which bounds its part of a core.
	lookAfter  = time.Second
	lookWithin = 5 * time.Second
	share      = 20
	// replayEvery is between two replays, in cluster time.
	replayEvery = 10 * time.Second
	// mostSteps is how many findings one look writes.
	mostSteps = 32
)

// Monitor looks for promises that are not kept. One Run at a time.
type Monitor struct {
	config Config

	mu    sync.Mutex // guards stats
	stats Stats

	model    *scheduler.Model
	watch    *Watch
	memory   *Memory
	book     *Book
	replayed int64
}

// Stats count since the Monitor was made.
type Stats struct {
	// Looks at everything, and what they took in all; Claims is what the last one found,
	// Broken how many of that break a promise, Unreadable the objects that it could not read.
	Looks                      uint64
	Looking                    time.Duration
	Claims, Broken, Unreadable int
	// Replays of decisions, by what came of them.
	Same, Different, Unavailable uint64
	// Failed writes of findings were tried again.
	Failed uint64
}

// New makes a monitor. It panics without what Config requires.
func New(config Config) *Monitor {
	if config.Store == nil || config.Root == nil || config.Writer == nil || config.Now == nil || config.Logger == nil {
		panic("monitor: store, root, writer, clock and logger are required")
	}
	return &Monitor{config: config}
}

// Run looks until ctx ends, and returns nil; or until the right to write has ended, with
// that error.
func (m *Monitor) Run(ctx context.Context) error {
	if m.config.Store.WaitFor(ctx, 0) != nil {
		return nil
	}
	stored, err := m.config.Root.Findings()
	if err != nil {
		return err
	}
	m.memory, m.book = NewMemory(stored), NewBook()
	mail := informer.NewMailbox()
	reader, unsubscribe := m.config.Store.Subscribe(mail.Put)
	defer unsubscribe()
	m.begin(reader)
	for ctx.Err() == nil {
		if changes, newer := mail.Take(); newer != nil {
			reader = newer
			m.follow(changes, reader)
		}
		began := time.Now()
		next, over := m.look(ctx, reader)
		if over != nil {
			return over
		}
		rest(ctx, max(lookAfter, share*time.Since(began)))
		await(ctx, mail, min(next, lookWithin))
	}
	return nil
}

// begin fills the model.
func (m *Monitor) begin(reader *informer.Reader) {
	m.model, m.watch = scheduler.NewModel(), NewWatch(reader)
	for _, kind := range [...]candor.KindName{candor.KindNodes, candor.KindDisruptionBudgets, candor.KindInstances} {
		for item := range reader.List(kind, "") {
			m.apply(item)
		}
	}
	m.model.Advance(reader.Token())
}

func (m *Monitor) follow(changes []informer.Change, reader *informer.Reader) {
	for i := range changes {
		if c := &changes[i]; c.After == nil {
			m.model.Remove(c.Ref)
		} else {
			m.apply(c.After)
		}
	}
	m.model.Advance(reader.Token())
	m.watch.Follow(changes, m.config.Now())
}

// apply leaves an object that cannot be read as it was: looks count it.
func (m *Monitor) apply(item *informer.Item) {
	_, _ = m.model.Apply(item.Object, item.KindName())
}

// look judges everything once and writes what came of it. next is how long it may be
// until something breaks if nothing changes; over says that the right to write has ended.
func (m *Monitor) look(ctx context.Context, reader *informer.Reader) (next time.Duration, over error) {
	began := time.Now()
	state := &State{View: reader, Model: m.model, Beat: m.beats(reader), Tenures: m.config.Root.Tenures()}
	state.Standing, state.StandingKnown = m.config.Root.Standing()
	state.Now = m.config.Now()
	m.sample(state.Now)
	l := LookAt(state)
	l.Claims = append(l.Claims, m.watch.Claims(state.Now)...)
	breaches, due := m.memory.Settle(state.Now, l)
	m.count(func(s *Stats) {
		s.Looks++
		s.Looking += time.Since(began)
		s.Claims, s.Broken, s.Unreadable = len(l.Claims), len(breaches), l.Unreadable
	})
	stored, err := m.config.Root.Findings()
	if err != nil {
		m.config.Logger.Warn("findings cannot be read", "error", err)
		return lookWithin, nil
	}
	if err := m.write(ctx, reader, m.book.Plan(state.Now, stored, breaches, l.Judged)); err != nil {
		return 0, err
	}
	if due == 0 {
		return lookWithin, nil
	}
	return max(0, time.Duration(due-state.Now)), nil
}

// beats are read before the clock: silence is never counted from a later beat.
func (m *Monitor) beats(reader *informer.Reader) func(string) (int64, time.Duration, bool) {
	type beat struct {
		at       int64
		promised time.Duration
		known    bool
	}
	all := make(map[string]beat, reader.Len(candor.KindNodes))
	for item := range reader.List(candor.KindNodes, "") {
		at, promised, known := m.config.Root.Beat(item.Metadata.UID)
		all[item.Metadata.UID] = beat{at: at, promised: promised, known: known}
	}
	return func(uid string) (int64, time.Duration, bool) {
		b := all[uid]
		return b.at, b.promised, b.known
	}
}

// sample has a decision replayed, where it is time for one.
func (m *Monitor) sample(now int64) {
	if m.replayed != 0 && now-m.replayed < int64(replayEvery) {
		return
	}
	d := m.watch.Newest()
	if d == nil {
		return
	}
	m.replayed = now
	replay := m.config.Root.Replay(d.Version, d.Decision)
	switch {
	case replay.Same:
		m.count(func(s *Stats) { s.Same++ })
	case replay.Reason == candor.ReasonDecisionDiffers:
		m.count(func(s *Stats) { s.Different++ })
		m.config.Logger.Error("a decision is another when it is taken again on the same state", "decision", d.Decision.ID, "instance", d.Version.Ref, "difference", replay.Message)
		m.watch.Report(Claim{
			Promise: DecisionReplays, Subject: d.Version.Ref, Step: d.Decision.ID,
			Message: "decision " + d.Decision.ID + " is another when it is taken again on the same state", Cause: replay.Message,
			Owner: "duty " + tenure.DutySchedule, Repair: "candor decision replay " + d.Decision.ID + "; report it with what that prints",
		}, now)
	default:
		m.count(func(s *Stats) { s.Unavailable++ })
	}
}

func (m *Monitor) count(f func(s *Stats)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.stats)
}

// Stats are as of now.
func (m *Monitor) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stats
}

func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// await returns when something came, when it is time, or when ctx has ended.
func await(ctx context.Context, mail *informer.Mailbox, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-mail.Came():
	case <-timer.C:
	case <-ctx.Done():
	}
}
