package gossip

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/memberlist"
)

// Gossip is this server's part in the cluster's gossip. Its methods may be
// called concurrently.
type Gossip struct {
	cfg       Config
	log       hclog.Logger
	list      *memberlist.Memberlist
	addr      string
	startedAt time.Time
	instance  string

	delegate   *delegate
	box        *mailbox
	lines      *libraryLog
	unreadable *unreadable
	subs       *subscriptions
	view       atomic.Pointer[view]
	orders     chan func(*observer)

	wanted   atomic.Pointer[Hints]
	hintWake chan struct{}
	expected atomic.Int64

	hintUpdates    atomic.Uint64
	hintsPublished atomic.Uint64
	joinAttempts   atomic.Uint64
	joinFailures   atomic.Uint64

	stopLoops     context.CancelFunc
	stopObserver  context.CancelFunc
	publisherDone chan struct{}
	proberDone    chan struct{}
	joinerDone    chan struct{}
	observerDone  chan struct{}
	stopping      sync.Once
	stopErr       error
}

// Start listens, announces this server and begins to look for the others; it
// does not wait until it found any. ctx bounds Start itself and lends its
// values; only Close or Abort ends what was started.
//
// It fails with INVALID for a configuration that cannot work, metadata that
// could outgrow its limit included, and with ADDRESS_IN_USE or UNAVAILABLE when
// it cannot listen.
func Start(ctx context.Context, cfg Config) (*Gossip, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	logger := cfg.Logger.Named("gossip")
	g := &Gossip{
		cfg:           cfg,
		log:           logger,
		startedAt:     time.Now(),
		instance:      newInstance(),
		box:           newMailbox(cfg.QueueSize),
		subs:          newSubscriptions(),
		orders:        make(chan func(*observer)),
		hintWake:      make(chan struct{}, 1),
		publisherDone: make(chan struct{}),
		proberDone:    make(chan struct{}),
		joinerDone:    make(chan struct{}),
		observerDone:  make(chan struct{}),
	}
	refused := &refusalCounts{}
	g.unreadable = &unreadable{box: g.box, refused: refused}
	g.lines = newLibraryLog(logger.Named("memberlist"), g.unreadable)
	g.delegate = &delegate{
		clusterID: cfg.Identity.ClusterID, serverID: cfg.Identity.ServerID, box: g.box, roster: newRoster(maxMembers),
		refused: refused,
	}
	g.wanted.Store(&cfg.Hints)
	g.expected.Store(int64(cfg.ExpectedPeers))
	g.view.Store(&view{})
	if err := g.setMeta(Meta{Identity: cfg.Identity, Hints: cfg.Hints}); err != nil {
		return nil, err
	}
	if err := g.listen(ctx); err != nil {
		return nil, err
	}
	g.run(context.WithoutCancel(ctx))
	g.log.Info("gossip started", "address", g.addr, "cluster", cfg.Identity.ClusterID,
		"server", cfg.Identity.ServerID, "name", cfg.Identity.Name, "seeds", cfg.Seeds,
		"encryption", cfg.demand(), "primary_key", cfg.primaryKey())
	return g, nil
}

// Addr is the announced gossip address, host:port.
func (g *Gossip) Addr() string { return g.addr }

// Members returns every server heard of, itself included, sorted by name.
func (g *Gossip) Members() []Member { return slices.Clone(g.view.Load().members) }

// Lookup returns the member with a server ID.
func (g *Gossip) Lookup(serverID string) (Member, bool) {
	members := g.view.Load().members
	i := slices.IndexFunc(members, func(m Member) bool { return m.ServerID == serverID })
	if i < 0 {
		return Member{}, false
	}
	return members[i], true
}

// Conflicts returns the server IDs that are announced from two addresses now.
func (g *Gossip) Conflicts() []Conflict { return slices.Clone(g.view.Load().conflicts) }

// Update replaces the announced hints. It is cheap and does not wait: a new
// leader or term is announced at once, other changes at most once per
// HintInterval. It fails with INVALID, and changes nothing, for a leader ID or
// mode that cannot be announced.
func (g *Gossip) Update(h Hints) error {
	if err := h.validate(); err != nil {
		return err
	}
	h.LeaderID, h.Mode = strings.Clone(h.LeaderID), strings.Clone(h.Mode)
	g.wanted.Store(&h)
	g.hintUpdates.Add(1)
	select {
	case g.hintWake <- struct{}{}:
	default:
	}
	return nil
}

// Expect sets how many other servers should be alive; 0 means as many as there
// are other seeds. The Raft configuration is where the number comes from.
func (g *Gossip) Expect(peers int) { g.expected.Store(int64(max(peers, 0))) }

// Forget drops a member that is DEAD or LEFT, once the root has removed it, so
// that it is neither listed nor searched for. It reports whether it did.
func (g *Gossip) Forget(serverID string) bool {
	done := make(chan bool, 1)
	select {
	case g.orders <- func(o *observer) { done <- o.table.forget(serverID) }:
		return <-done
	case <-g.observerDone:
		return false
	}
}

// Subscribe delivers changes from now on, with room for so many waiting events.
// Read Members after subscribing for what came before.
func (g *Gossip) Subscribe(buffer int) *Subscription { return g.subs.add(buffer) }

// observe is the one goroutine that owns the observer.
func (g *Gossip) observe(ctx context.Context) {
	o := &observer{
		log:       g.log,
		table:     newTable(g.cfg.Identity.ServerID, g.delegate.roster),
		conflicts: newConflictLedger(g.log),
		refusals:  newRefusalLedger(g.cfg.Identity.ClusterID, g.log),
		retention: g.cfg.Profile.Retention,
		emit:      g.subs.send,
	}
	library := g.log.Named("memberlist")
	expiry := time.NewTicker(expiryInterval)
	defer expiry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.box.wake:
			for _, n := range g.box.take() {
				o.apply(n)
			}
			g.view.Store(o.view())
		case order := <-g.orders:
			order(o)
			g.view.Store(o.view())
		case now := <-expiry.C:
			o.expire(now)
			g.view.Store(o.view())
		case line := <-g.lines.lines:
			library.Debug("library", "line", line)
		}
	}
}
