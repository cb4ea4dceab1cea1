package fleet

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/worker"
)

// Fleet is nodes that are made up.
type Fleet struct {
	config   Config
	session  *worker.Session
	reporter *worker.Reporter
	stage    *stage
	log      hclog.Logger

	mu   sync.Mutex
	left int // nodes that no other session has taken
	lost *candor.Error
}

// tellEvery is how often the log says what was done.
const tellEvery = 10 * time.Second

// New returns a fleet of the configuration; INVALID for one that cannot be.
func New(config Config) (*Fleet, error) {
	if err := config.complete(); err != nil {
		return nil, err
	}
	log := config.Logger
	f := &Fleet{
		config: config, log: log, left: config.Count,
		session:  worker.NewSession(config.Nodes, worker.NewSessionID("fleet-"+config.Prefix), log.Named("lease")),
		reporter: worker.NewReporter(config.Instances, config.Observers, log.Named("observe")),
	}
	f.stage = newStage(f.session, f.reporter, config.StartDelay, config.FailEvery)
	return f, nil
}

// Run registers the nodes and plays their instances until ctx ends: nil then. The
// nodes stay, unless the configuration says Cleanup. CONFLICT: other sessions took all
// nodes over. Run may be called once.
func (f *Fleet) Run(ctx context.Context) error {
	within, stop := context.WithCancel(ctx)
	err := f.play(within, stop)
	stop()
	f.mu.Lock()
	lost := f.lost
	f.mu.Unlock()
	if lost != nil {
		return lost
	}
	if f.config.Cleanup {
		return f.cleanup(context.WithoutCancel(ctx))
	}
	return err
}

func (f *Fleet) play(ctx context.Context, stop context.CancelFunc) error {
	var all sync.WaitGroup
	defer all.Wait()
	defer stop()
	all.Go(func() { f.reporter.Run(ctx) })
	all.Go(func() { f.stage.run(ctx) })
	all.Go(func() { f.tell(ctx) })
	// The first nodes live while the last ones are registered.
	all.Go(func() {
		f.session.Beat(ctx, f.stage.registeredAgain, func(node string, refused *candor.Error) { f.taken(node, refused, stop) })
	})
	began := time.Now()
	if err := f.register(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return candor.Wrap("register simulated nodes", err)
	}
	f.log.Info("the nodes are registered", "nodes", f.config.Count, "session", f.session.ID(), "lease", f.session.Lease(), "took", time.Since(began).Round(time.Millisecond))
	worker.Follow(ctx, f.config.Instances, candor.LabelNode, f.stage, f.log.Named("follow"))
	return nil
}

func (f *Fleet) register(ctx context.Context) error {
	nodes := f.config.registrations(f.session.ID())
	for len(nodes) > 0 {
		n := min(len(nodes), client.MaxRegistrations)
		if err := f.session.Register(ctx, nodes[:n], func(string, *candor.Error) {}); err != nil {
			return err
		}
		nodes = nodes[n:]
	}
	return nil
}

func (f *Fleet) taken(node string, refused *candor.Error, stop context.CancelFunc) {
	f.log.Error("another session took a node over", "node", node, "error", refused)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left--; f.left > 0 {
		return
	}
	f.lost = &candor.Error{Reason: candor.ReasonConflict, Subject: node, Err: refused,
		Message: "other sessions took all nodes over: this fleet reports nothing more (" + refused.Message + ")"}
	stop()
}

func (f *Fleet) tell(ctx context.Context) {
	ticker := time.NewTicker(tellEvery)
	defer ticker.Stop()
	last := uint64(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		pending, told := f.reporter.Pending()
		instances, running := f.stage.count()
		if told != last || pending > 0 {
			f.log.Info("instances are played", "instances", instances, "running", running, "observations", told, "pending", pending)
		}
		last = told
	}
}

// Count is how many instances there are, and how many of them run.
func (f *Fleet) Count() (instances, running int) { return f.stage.count() }

// cleaning is how many nodes are removed at a time.
const cleaning = 32

func (f *Fleet) cleanup(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, f.config.CleanupTimeout)
	defer cancel()
	places := make(chan struct{}, cleaning)
	var all sync.WaitGroup
	var once sync.Once
	var failed error
	for n := range f.config.Count {
		name := f.config.name(n + 1)
		uid := f.session.UID(name)
		if uid == "" {
			continue
		}
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			_, err := f.config.Deleter.Delete(ctx, candor.Ref{Kind: candor.KindNodes, Name: name}, client.WithPreconditions(0, uid), client.WithoutObject())
			if err != nil && candor.ReasonOf(err) != candor.ReasonNotFound {
				once.Do(func() { failed = candor.Wrap("remove simulated nodes", err) })
			}
		})
	}
	all.Wait()
	return failed
}
