package replica

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/server/replica/datadir"
)

// Replica is one server's replica of the root. Its methods may be called
// concurrently, after Close too.
type Replica struct {
	// Admissions counts the requests that came to this server: each entrance
	// counts its own, once.
	Admissions Admissions
	// Outcomes knows how far the requests came that this server took.
	Outcomes *Outcomes

	serverID string
	settings Settings
	machine  *fsm.Machine
	peers    Peers
	clock    Clock
	logger   hclog.Logger
	dir      *datadir.Dir

	transport     raft.Transport
	raft          *raft.Raft
	log           *log
	track         *configurationTracker
	snapshotStore *trackedSnapshots
	flight        *inFlight
	failure       *failure
	applied       *applied
	queue         *queue
	confirm       *confirmer
	prover        *prover
	reign         reign
	tuning        sync.Mutex
	// distrusted says that the state is quarantined; admitting keeps leadership and
	// trust apart when they change what the queue takes.
	distrusted atomic.Bool
	// heirs counts the searches for a sound voter to hand leadership to.
	heirs     atomic.Uint64
	admitting sync.Mutex
	// began is when the replica was started.
	began     time.Time
	notices   *notifier
	early     *early
	suspicion suspicion
	transfer  *stuckTransfer
	disk      *disk
	yields    yielding
	// applying is how busy raft's state machine thread is.
	applying load

	pendings     sync.Pool
	trails       trails
	leading      atomic.Pointer[leadership]
	turns        turns
	asked        atomic.Uint64
	closing      atomic.Bool
	lastSnapshot struct {
		index atomic.Uint64
		bytes atomic.Int64
	}
	// again asks for a snapshot now.
	again chan struct{}

	// stopping ends what may be waiting for a disk or a timer; abandoned answers
	// callers whose lane never will.
	stopping  chan struct{}
	abandoned chan struct{}
	cancel    context.CancelFunc

	lanes      sync.WaitGroup
	loops      sync.WaitGroup
	watch      sync.WaitGroup
	background background

	stop     sync.Once
	stopErr  error
	stopDone chan struct{}
}

// New starts a replica. It reads what its stores hold, which takes the time of
// a snapshot's restore, and applies the log after it once a leader is known.
// When it fails the caller still owns Dir and Transport.
func New(config Config) (*Replica, error) {
	c, err := config.complete()
	if err != nil {
		return nil, candor.Wrap("start replica", err)
	}
	r := &Replica{
		began: time.Now(), serverID: c.ServerID, settings: c.Settings, machine: c.Machine, peers: c.Peers, clock: c.Clock, logger: c.Logger,
		Outcomes: newOutcomes(), dir: c.Dir, transport: c.Transport, track: &configurationTracker{}, flight: newInFlight(),
		failure: &failure{handle: c.OnFatal}, applied: &applied{wall: c.Clock.Wall}, queue: newQueue(c.Settings.QueueCommands, c.Settings.QueueBytes),
		again: make(chan struct{}, 1), stopping: make(chan struct{}), abandoned: make(chan struct{}), stopDone: make(chan struct{}),
	}
	r.confirm, r.prover, r.notices = newConfirmer(r), newProver(r), newNotifier(r)
	r.early = newEarly(r.transport, r.serverID, func() uint64 { return r.raft.CommitIndex() }, r.mayStand, newPatience(r.replicates))
	r.transfer = &stuckTransfer{limit: 2 * c.Settings.Election, fatal: r.failure.report}
	r.disk = &disk{
		dir: c.Dir, watermark: c.Settings.DiskWatermarkBytes, interval: c.Settings.DiskInterval,
		logger: c.Logger.Named("disk"), short: r.yieldLeadership, sooner: make(chan struct{}, 1),
	}
	if err := r.startRaft(&c); err != nil {
		return nil, candor.Wrap("start replica", err)
	}
	r.startLoops()
	return r, nil
}

// startRaft starts raft, a second time without a snapshot that turned out
// unreadable, where the log can do without.
func (r *Replica) startRaft(c *Config) error {
	started, err := r.tryRaft(c)
	if r.dir == nil || candor.ReasonOf(err) != candor.ReasonDataCorrupt {
		r.raft = started
		return err
	}
	if err := r.dir.SetAside(r.snapshotStore.openedID(), err); err != nil {
		return err
	}
	r.logger.Error("snapshot set aside; the state is rebuilt from the log", "error", err)
	r.raft, err = r.tryRaft(c)
	return err
}

func (r *Replica) tryRaft(c *Config) (*raft.Raft, error) {
	logs, stable, snapshots := c.stores()
	r.track = &configurationTracker{}
	r.snapshotStore = &trackedSnapshots{SnapshotStore: snapshots, track: r.track, kept: r.snapshotKept}
	metas, err := snapshots.List()
	if err != nil {
		return nil, err
	}
	if len(metas) > 0 {
		r.track.snapshot(metas[0].ConfigurationIndex, metas[0].Configuration)
		r.snapshotKept(metas[0].Index, metas[0].Size)
	}
	r.log = &log{
		store: c.WrapLogStore(logs), cache: newLogCache(c.Settings.LogCacheBytes), watch: r.flight, track: r.track,
		offer: r.offer, fatal: r.failure.report, full: r.disk.foundFull, wrote: r.disk.wrote, dueAt: c.Settings.SnapshotBytes, due: make(chan struct{}, 1),
	}
	r.log.loading.Store(true)
	defer r.log.loading.Store(false)
	machine := &applier{replica: r}
	started, err := raft.NewRaft(r.raftConfig(), watchedApplier{machine}, r.log, &stableStore{stable, r.flight, r.failure.report}, r.snapshotStore, r.early)
	if err != nil {
		if machine.refused != nil {
			return nil, r.refusedAtStart(machine.refused)
		}
		return nil, err
	}
	return started, nil
}

// offer has the entries that this server is about to write as the leader sent
// to its followers meanwhile.
func (r *Replica) offer(before *raft.Log, logs []*raft.Log) {
	if lead := r.leading.Load(); lead != nil && lead.term == logs[0].Term {
		r.early.offer(r.track.latest().Servers, before, logs)
	}
}

// replicates says whether this server leads in the term and sends its log to
// the other.
func (r *Replica) replicates(term uint64, to raft.ServerID) bool {
	configuration := r.track.latest()
	_, member := configuration.Find(to)
	return member && r.leads(term)
}

// refusedAtStart names the file of a snapshot that the state machine refused.
func (r *Replica) refusedAtStart(cause error) error {
	if r.dir == nil {
		return cause
	}
	path := r.dir.Snapshots().Path(r.snapshotStore.openedID())
	return &candor.Error{Reason: candor.ReasonOf(cause), Subject: path, Message: path + ": " + cause.Error(), Err: cause}
}

func (c *Config) stores() (raft.LogStore, raft.StableStore, raft.SnapshotStore) {
	if c.Dir != nil {
		return c.Dir.Log(), c.Dir.Stable(), c.Dir.Snapshots()
	}
	return c.Memory.store, c.Memory.store, c.Memory.snapshots
}

func (r *Replica) raftConfig() *raft.Config {
	s := &r.settings
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(r.serverID)
	c.Logger = r.logger.Named("raft")
	c.HeartbeatTimeout, c.ElectionTimeout = s.Heartbeat, s.Election
	c.LeaderLeaseTimeout, c.CommitTimeout = s.LeaderLease, s.CommitTimeout
	c.MaxAppendEntries = s.MaxAppendEntries
	c.BatchApplyCh = true
	c.TrailingLogs = s.TrailingEntries
	// Snapshots are ours to time, and a removed server is the operator's to stop.
	c.SnapshotThreshold, c.SnapshotInterval = math.MaxUint64, time.Hour
	c.ShutdownOnRemove = false
	c.NoLegacyTelemetry = true
	return c
}

func (r *Replica) startLoops() {
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	loop := func(run func()) {
		r.loops.Go(func() {
			run()
		})
	}
	loop(func() { r.lead(ctx) })
	loop(func() { r.confirm.run(ctx) })
	loop(func() { r.prover.run(ctx) })
	loop(func() { r.reign.follow(ctx, r.raft, r.turns.turned) })
	loop(func() {
		r.early.ghost.follow(ctx, r.raft, func(leader raft.ServerID) {
			r.logger.Warn("a candidate still had a leader; it has none now", "leader", string(leader))
		})
	})
	loop(func() { r.snapshots(ctx) })
	loop(func() { r.disk.run(ctx.Done()) })
	dog := &watchdog{flight: r.flight, after: r.settings.WatchdogAfter, fatal: r.failure.report}
	// The watchdog outlives the rest: a disk may hang while raft stops.
	r.watch.Go(func() {
		dog.run(r.stopDone)
	})
	for range r.settings.Lanes {
		l := &lane{replica: r}
		r.lanes.Go(func() {
			l.run()
		})
	}
}

// Close stops the replica gracefully: it refuses what comes, finishes what is
// on its way, hands leadership over, writes a snapshot when the next start
// would have much to replay, and marks the directory as cleanly stopped. When
// ctx ends first, the rest happens as after a crash. Later calls wait for the
// first and return its error.
func (r *Replica) Close(ctx context.Context) error {
	r.stop.Do(func() {
		r.stopErr = candor.Wrap("stop replica", r.close(ctx, true))
		close(r.stopDone)
		r.watch.Wait()
	})
	return r.stopErr
}

// Kill stops the replica as a crash would: callers learn nothing, nothing is
// handed over, no marker is written.
func (r *Replica) Kill() error {
	r.stop.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 4*r.settings.Election)
		defer cancel()
		close(r.abandoned)
		r.stopErr = candor.Wrap("kill replica", r.close(ctx, false))
		close(r.stopDone)
		r.watch.Wait()
	})
	return r.stopErr
}

func (r *Replica) close(ctx context.Context, graceful bool) error {
	r.closing.Store(true)
	var errs []error
	drained := r.drain(ctx, graceful)
	if !drained && graceful {
		errs = append(errs, candor.Errorf(candor.ReasonTimedOut, "commands were still on their way through the log"))
	}
	if graceful && drained {
		r.settleDown(ctx)
	}
	close(r.stopping)
	r.applied.close()
	r.cancel()
	// What raft was asked it answers while it runs (see drain).
	patience := r.settings.patience()
	// While a write hangs raft's main loop stands still, and could not stop either.
	for !waitAtMost(&r.lanes, patience) {
		if r.flight.oldest() == 0 {
			break
		}
	}
	answered := waitAtMost(&r.loops, patience) && r.background.close(patience)
	errs = append(errs, r.raft.Shutdown().Error())
	if streams, ok := r.transport.(interface{ CloseStreams() }); ok {
		streams.CloseStreams()
	}
	answered = r.notices.stop(patience) && r.early.stop(patience) && answered
	if graceful {
		close(r.abandoned)
	}
	r.queue.set(gateStopped, nil, errStopping)
	if !answered || !waitAtMost(&r.lanes, patience) {
		errs = append(errs, candor.Errorf(candor.ReasonInternal, "raft stopped without answering all it was asked"))
	}
	return errors.Join(append(errs, r.closeDir(graceful && drained && r.failure.cause() == nil))...)
}

// drain refuses what comes and waits for the lanes. raft answers each entry:
// when it commits, or when the leader's lease ends without a majority. Only then
// may raft stop: it would leave entries between its stages unanswered.
func (r *Replica) drain(ctx context.Context, graceful bool) bool {
	gate, refuse := gateDraining, (*candor.Error)(nil)
	if !graceful {
		gate, refuse = gateStopped, errStopping
	}
	r.queue.set(gate, r.leading.Load(), refuse)
	if r.leading.Load() == nil {
		r.queue.set(gate, nil, errStopping)
	}
	done := make(chan struct{})
	go func() {
		r.lanes.Wait()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// settleDown hands leadership over and shortens the next start. Neither is
// worth failing for.
func (r *Replica) settleDown(ctx context.Context) {
	if r.leading.Load() != nil && len(r.track.latest().Servers) > 1 {
		bounded, cancel := context.WithTimeout(ctx, 4*r.settings.Election)
		if err := r.transferLeader(bounded, ""); err != nil {
			r.logger.Warn("leadership not handed over", "error", err)
		}
		cancel()
	}
	if r.log.bytes.Load() < r.settings.StopSnapshotBytes || r.failure.cause() != nil {
		return
	}
	if err := r.Snapshot(ctx); err != nil {
		r.logger.Warn("no snapshot taken at the end", "error", err)
	}
}

func (r *Replica) closeDir(clean bool) error {
	if r.dir == nil {
		return nil
	}
	if clean {
		return r.dir.CloseClean()
	}
	return r.dir.Close()
}
