package worker

import (
	"context"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/worker/shim"
)

// Agent is a worker of one machine.
type Agent struct {
	config   Config
	boot     string
	session  *Session
	reporter *Reporter
	policies *policies
	probing  *http.Client
	log      hclog.Logger

	mu      sync.Mutex
	keepers map[string]*keeper // by UID; those that are over stay until they are gone
	over    map[string]bool
	closing bool
	// listed: it was told once what there is.
	listed bool
	// relist has what there is listed anew; nil until it is followed.
	relist context.CancelFunc
	// trying: it will be, after a while.
	trying bool
	lost   *candor.Error
	all    sync.WaitGroup  // the keepers
	ctx    context.Context //nolint:containedctx // Run's, which keepers that come later live by
	stop   context.CancelFunc
}

// New returns an agent of the configuration, and makes its data directory where there
// is none. INVALID: the configuration cannot work.
func New(config Config) (*Agent, error) {
	if err := config.complete(); err != nil {
		return nil, err
	}
	boot, err := shim.BootID()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(config.Data, "instances"), 0o750); err != nil {
		return nil, candor.Wrap("data directory", err)
	}
	id, err := identity(config.Data)
	if err != nil {
		return nil, err
	}
	return &Agent{
		config: config, boot: boot, log: config.Logger, probing: newProbeClient(), keepers: map[string]*keeper{}, over: map[string]bool{},
		session:  NewSession(config.Nodes, NewSessionID(id), config.Logger.Named("lease")),
		reporter: NewReporter(config.Instances, config.Observers, config.Logger.Named("observe")),
		policies: newPolicies(config.Policies, config.UnhealthyAfter, config.Logger.Named("policies")),
	}, nil
}

// Run works until ctx ends: nil then, and what runs goes on. DATA_LOCKED: another
// worker has the data directory. CONFLICT: another worker took the node over. An error
// otherwise says why the node cannot be registered. Run may be called once.
func (a *Agent) Run(ctx context.Context) error {
	lock, err := shim.TakeLock(filepath.Join(a.config.Data, "worker.lock"))
	if err != nil {
		return err
	}
	if lock == nil {
		return candor.Errorf(candor.ReasonDataLocked, "data directory %s is in use by another worker", a.config.Data)
	}
	defer lock.Release() //nolint:errcheck // the end of the process releases it too
	a.ctx, a.stop = context.WithCancel(ctx)
	defer a.stop()
	err = a.work()
	a.mu.Lock()
	a.closing = true
	lost := a.lost
	a.mu.Unlock()
	a.stop()
	a.all.Wait()
	a.probing.CloseIdleConnections()
	if lost != nil {
		return lost
	}
	return err
}

func (a *Agent) work() error {
	a.endForgotten()
	if err := a.resume(); err != nil {
		return err
	}
	var rest sync.WaitGroup
	defer rest.Wait()
	defer a.stop()
	rest.Go(func() { a.policies.run(a.ctx) })
	rest.Go(a.tidy)
	registration := a.config.registration(a.session.ID(), a.boot, runtime.GOOS, runtime.GOARCH)
	if err := a.session.Register(a.ctx, []client.NodeRegistration{registration}, a.held); err != nil {
		if a.ctx.Err() != nil {
			return nil
		}
		return candor.Wrap("register node "+a.config.Name, err)
	}
	a.log.Info("the node is registered", "node", a.config.Name, "uid", a.session.UID(a.config.Name), "session", a.session.ID(),
		"capacity", a.config.Capacity.String(), "lease", a.session.Lease())
	rest.Go(func() { a.session.Beat(a.ctx, a.registeredAgain, a.taken) })
	// Until now the node, and what is on it, may have been another worker's to tell of.
	rest.Go(func() { a.reporter.Run(a.ctx) })
	for a.ctx.Err() == nil {
		a.follow()
	}
	return nil
}

// follow follows the node's instances, until ctx ends or they are to be listed anew.
func (a *Agent) follow() {
	ctx, cancel := context.WithCancel(a.ctx)
	defer cancel()
	a.mu.Lock()
	a.relist = cancel
	a.mu.Unlock()
	Follow(ctx, a.config.Instances, candor.LabelNode+"="+a.config.Name, a, a.log.Named("follow"))
}

// listAgain has everything be listed anew. What is not followed yet will be.
func (a *Agent) listAgain() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.relist != nil {
		a.relist()
	}
}

// taken: another session has the node. One of the same worker has the data directory,
// and with it what runs. Another worker's has not: it runs what is placed on the node
// itself, so that what runs here is ended.
func (a *Agent) taken(node string, refused *candor.Error) {
	taker := a.session.Taker(node)
	ours := workerOf(taker) == workerOf(a.session.ID())
	what := "ended what ran here"
	if ours {
		what = "leaves what runs to it"
	}
	a.log.Error("another worker took the node over", "node", node, "session", a.session.ID(), "taker", taker, "error", refused)
	a.mu.Lock()
	a.lost = &candor.Error{Reason: candor.ReasonConflict, Subject: node, Err: refused,
		Message: "another worker took node " + node + " over: this one reports nothing more and " + what + " (" + refused.Message + ")"}
	a.closing = true
	if !ours {
		a.releaseAll()
	}
	a.mu.Unlock()
	if !ours {
		a.all.Wait()
	}
	a.stop()
}

// held: another worker has the node that this one is to register, and runs what is placed
// on it. What this one resumed is ended, before it asks again.
func (a *Agent) held(node string, refused *candor.Error) {
	a.mu.Lock()
	running := len(a.keepers) - len(a.over)
	a.releaseAll()
	a.mu.Unlock()
	if running > 0 {
		a.log.Error("another worker has the node: what ran here is ended", "node", node, "session", a.session.ID(), "instances", running, "error", refused)
		a.all.Wait()
	}
}

// releaseAll releases every instance. a.mu is held.
func (a *Agent) releaseAll() {
	for uid, k := range maps.All(a.keepers) {
		a.release(uid, k)
	}
}

// registeredAgain: what was placed on the node before is not this node's any more, and
// what was placed on it since its UID changed was not known to be its own.
func (a *Agent) registeredAgain(string) { a.listAgain() }

// endForgotten ends what runs for this data directory and is not in it any more: it was
// wiped. Nothing is left that says how to go on with that, and what is placed on the node
// is run anew.
func (a *Agent) endForgotten() {
	uids, err := shim.EndForgotten(a.ctx, a.config.Shim, filepath.Join(a.config.Data, "instances"))
	if len(uids) > 0 {
		a.log.Warn("instances ran of which the data directory knows nothing, and were ended", "uids", uids)
	}
	if err != nil {
		a.log.Error("what the data directory forgot may still run", "error", err)
	}
}

// resume goes on with what the data directory says that runs, or is to run, before
// anybody is asked: it lasts while the cluster is away.
func (a *Agent) resume() error {
	entries, err := os.ReadDir(filepath.Join(a.config.Data, "instances"))
	if err != nil {
		return candor.Wrap("read the data directory", err)
	}
	for _, e := range entries {
		dir := a.dir(e.Name())
		order, err := dir.Order()
		if err != nil || order == nil || order.UID != e.Name() {
			a.log.Error("an instance's directory cannot be read and is left alone", "directory", string(dir), "error", err)
			continue
		}
		record, err := dir.Record()
		if err == nil && record != nil && record.State == shim.StateEnded && record.Run >= order.Run && next(order, record) == nil {
			continue // it is over
		}
		if err == nil && record == nil && order.Stopping {
			continue // it never began
		}
		a.mu.Lock()
		a.keep(dir, order, order.Stopping)
		a.mu.Unlock()
	}
	return nil
}

func (a *Agent) dir(uid string) shim.Dir {
	return shim.Dir(filepath.Join(a.config.Data, "instances", uid))
}

// keep begins to look after an instance, which is not to start where it is to stop. a.mu
// is held.
func (a *Agent) keep(dir shim.Dir, order *shim.Order, stop bool) {
	uid, ref := order.UID, order.Ref()
	k := &keeper{
		dir: dir, uid: uid, ref: ref, self: a.config.Shim, session: a.session.ID(), probing: a.probing, policies: a.policies,
		order: order, stopping: make(chan struct{}), log: a.log.Named("instance").With("instance", ref.Namespace+"/"+ref.Name, "uid", uid),
	}
	k.report = func(o candor.InstanceObserved) { a.report(k, o) }
	if stop {
		k.stop()
	}
	a.keepers[uid] = k
	if a.closing {
		return
	}
	a.all.Go(func() {
		if !k.run(a.ctx) {
			return
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		if k.released {
			delete(a.keepers, uid)
			return
		}
		a.over[uid] = true
	})
}

// report tells of an instance, unless the cluster does not know it any more: of the name
// there may be another one, which would be told of for ever.
func (a *Agent) report(k *keeper, o candor.InstanceObserved) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !k.released {
		a.reporter.Report(k.uid, k.ref, o)
	}
}
