// Package trust knows whether a node may rely on its own view, and mends a view
// that it must not rely on: docs/protocol.md, section 6.
//
// It guarantees that a node whose state differs from the one that a majority of
// the voters share says so from then on, over restarts, until its view is that
// state again. It refuses to judge without a majority. Package server makes it;
// package read reports to it and asks it. It may be called concurrently.
package trust

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
	"github.com/candor-plane/candor/fsm"
)

// State is what outlives a restart.
type State struct {
	Operator   bool
	Quarantine *Quarantine
}

// Quarantine is that a majority had another digest at the index.
type Quarantine struct {
	Index            uint64
	Digest, Majority fsm.Digest
	Since            time.Time
}

// Store keeps the state durably.
type Store interface {
	Load() (State, error)
	Save(s State) error
}

// Digests are those of this node's own state.
type Digests interface {
	// DigestAt is false for an index that is not applied or not kept any more.
	DigestAt(index uint64) (fsm.IndexDigest, bool)
	Applied() uint64
}

// Repairer rebuilds the view from a peer's snapshot whose digest a majority of
// the voters has confirmed at its index.
type Repairer interface {
	Rebuild(ctx context.Context, attempt int) (source string, index uint64, err error)
}

// Config of a Keeper; all of it but Automatic is required.
type Config struct {
	Store    Store
	Digests  Digests
	Repairer Repairer
	// Automatic has a quarantined view repaired, at once and then every Interval
	// as long as that fails.
	Automatic bool
	Interval  time.Duration
	// Distrust hears when a quarantine begins and ends; it must not block for long.
	Distrust func(on bool)
	Logger   hclog.Logger
}

// Keeper is the one of a node.
type Keeper struct {
	config  Config
	removed atomic.Bool
	// why is what ViewOnly answers.
	why       atomic.Pointer[freshness.ModeReason]
	reloading atomic.Bool
	verified  atomic.Uint64

	mu      sync.Mutex
	state   State
	pending fsm.IndexDigest
	changed chan struct{}
	// tried and failure are of the present quarantine.
	tried   int
	failure string

	// repairing is held by the one repair.
	repairing chan struct{}
	wanted    chan struct{}
	cancel    context.CancelFunc
	done      sync.WaitGroup
}

// New reads what was kept and begins to watch. Close ends it.
func New(config Config) (*Keeper, error) {
	if config.Store == nil || config.Digests == nil || config.Repairer == nil || config.Distrust == nil || config.Logger == nil || config.Interval <= 0 {
		panic("trust: every field of Config is required")
	}
	state, err := config.Store.Load()
	if err != nil {
		return nil, err
	}
	k := &Keeper{config: config, state: state, changed: make(chan struct{}), repairing: make(chan struct{}, 1), wanted: make(chan struct{}, 1)}
	k.mu.Lock()
	k.settle()
	k.mu.Unlock()
	if state.Quarantine != nil {
		config.Distrust(true)
		k.want()
	}
	ctx, cancel := context.WithCancel(context.Background())
	k.cancel = cancel
	k.done.Go(func() { k.run(ctx) })
	return k, nil
}

// Close ends a repair under way and waits.
func (k *Keeper) Close() {
	k.cancel()
	k.done.Wait()
}

// ViewOnly is why the view must not be relied on, or empty.
func (k *Keeper) ViewOnly() (why freshness.ModeReason, reloading bool) {
	if p := k.why.Load(); p != nil {
		why = *p
	}
	return why, k.reloading.Load()
}

// Changed is closed once ViewOnly answers otherwise.
func (k *Keeper) Changed() <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.changed
}

// SetOperator sets or ends what an operator asked for, durably.
func (k *Keeper) SetOperator(on bool) (changed bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state.Operator == on {
		return false, nil
	}
	next := k.state
	next.Operator = on
	if err := k.config.Store.Save(next); err != nil {
		return false, candor.Wrap("keep the view-only flag", err)
	}
	k.state = next
	k.settle()
	k.config.Logger.Info("view-only by operator", "on", on)
	return true, nil
}

// Removed takes a leader's word on whether this node is a member.
func (k *Keeper) Removed(removed bool) {
	if k.removed.Load() == removed {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.removed.Store(removed)
	k.settle()
	k.config.Logger.Warn("membership as the leader tells it", "removed", removed)
}

// settle publishes the reason, worst first. The caller holds the lock.
func (k *Keeper) settle() {
	var why freshness.ModeReason
	switch {
	case k.state.Quarantine != nil:
		why = freshness.ReasonQuarantined
	case k.removed.Load():
		why = freshness.ReasonRemoved
	case k.state.Operator:
		why = freshness.ReasonOperator
	}
	if before := k.why.Swap(&why); before != nil && *before == why {
		return
	}
	k.announce()
}

func (k *Keeper) announce() {
	close(k.changed)
	k.changed = make(chan struct{})
}

// Status is the keeper's for diagnostics.
type Status struct {
	State
	Tried   int
	Failure string
	// Verified is the newest index at which this node's digest was the majority's.
	Verified  uint64
	Automatic bool
	Interval  time.Duration
}

// Status describes the keeper now.
func (k *Keeper) Status() Status {
	k.mu.Lock()
	defer k.mu.Unlock()
	return Status{
		State: k.state, Tried: k.tried, Failure: k.failure, Verified: k.verified.Load(),
		Automatic: k.config.Automatic, Interval: k.config.Interval,
	}
}
