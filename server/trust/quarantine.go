package trust

import (
	"context"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
)

// Heard takes a digest that a majority of the voters shared at an index, and
// compares this node's own with it: now, or once the node has one.
func (k *Keeper) Heard(agreed fsm.IndexDigest) {
	if agreed.Index == 0 || agreed.Index == k.verified.Load() {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	// One that waits is not given up for a newer one, or a node that is always
	// behind would never be compared.
	if k.pending.Index != 0 && k.compare(k.pending) {
		k.pending = fsm.IndexDigest{}
	}
	if !k.compare(agreed) && k.pending.Index == 0 {
		k.pending = agreed
	}
}

// compare says whether the digests could be compared, or never can be.
func (k *Keeper) compare(agreed fsm.IndexDigest) bool {
	own, ok := k.config.Digests.DigestAt(agreed.Index)
	switch {
	case !ok:
		// What is applied and not kept any more can never be compared.
		return agreed.Index <= k.config.Digests.Applied()
	case own.Digest == agreed.Digest:
		k.verified.Store(max(k.verified.Load(), agreed.Index))
		if q := k.state.Quarantine; q != nil && agreed.Index > q.Index {
			k.lift("the state is the majority's again")
		}
		return true
	case k.state.Quarantine != nil:
		return true
	default:
		k.quarantine(own, agreed)
		return true
	}
}

// quarantine begins one. That it cannot be kept on disk does not keep it from
// holding now.
func (k *Keeper) quarantine(own, agreed fsm.IndexDigest) {
	k.state.Quarantine = &Quarantine{Index: agreed.Index, Digest: own.Digest, Majority: agreed.Digest, Since: time.Now()}
	k.tried, k.failure = 0, ""
	// A disk that hangs must not hold it up.
	k.settle()
	if err := k.config.Store.Save(k.state); err != nil {
		k.config.Logger.Error("quarantine not kept on disk", "error", err)
	}
	k.config.Logger.Error("quarantined: this node's state differs from the majority's", "index", agreed.Index)
	k.config.Distrust(true)
	k.want()
}

// lift ends the quarantine. The caller holds the lock.
func (k *Keeper) lift(why string) {
	if k.state.Quarantine == nil {
		return
	}
	k.state.Quarantine = nil
	if err := k.config.Store.Save(k.state); err != nil {
		k.config.Logger.Error("the end of the quarantine not kept on disk", "error", err)
	}
	k.settle()
	k.config.Logger.Info("quarantine lifted", "why", why)
	k.config.Distrust(false)
}

func (k *Keeper) want() {
	if !k.config.Automatic {
		return
	}
	select {
	case k.wanted <- struct{}{}:
	default:
	}
}

// run repairs when that is wanted, no more often than the interval allows.
func (k *Keeper) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.wanted:
		}
		if _, _, err := k.Repair(ctx); err != nil && ctx.Err() == nil {
			k.config.Logger.Warn("view not repaired", "error", err, "again", k.config.Interval)
			if k.quarantined() {
				k.want()
			}
		}
		timer := time.NewTimer(k.config.Interval)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

func (k *Keeper) quarantined() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state.Quarantine != nil
}

// Repair rebuilds a quarantined view and lifts the quarantine. It says who gave
// the snapshot and at which index a majority confirmed it.
func (k *Keeper) Repair(ctx context.Context) (source string, index uint64, err error) {
	select {
	case k.repairing <- struct{}{}:
		defer func() { <-k.repairing }()
	case <-ctx.Done():
		return "", 0, candor.Errorf(candor.ReasonTimedOut, "another repair is under way")
	}
	k.mu.Lock()
	if k.state.Quarantine == nil {
		k.mu.Unlock()
		return "", 0, candor.Errorf(candor.ReasonConflict, "this node is not quarantined: there is nothing to repair")
	}
	attempt := k.tried
	k.tried++
	k.reload(true)
	k.mu.Unlock()
	source, index, err = k.config.Repairer.Rebuild(ctx, attempt)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reload(false)
	if err != nil {
		k.failure = err.Error()
		return "", 0, candor.Wrap("repair the view", err)
	}
	k.verified.Store(max(k.verified.Load(), index))
	k.pending = fsm.IndexDigest{}
	k.lift("rebuilt from a verified snapshot")
	return source, index, nil
}

func (k *Keeper) reload(on bool) {
	k.reloading.Store(on)
	k.announce()
}
