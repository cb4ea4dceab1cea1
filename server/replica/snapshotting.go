package replica

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
)

// snapshots takes a snapshot when the log since the last one is long. raft's own
// trigger counts entries, which carry one command or hundreds.
func (r *Replica) snapshots(ctx context.Context) {
	s := &r.settings
	last := time.Now()
	timer := time.NewTimer(s.SnapshotInterval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.log.due:
		case <-r.again:
			last = time.Time{}
		case <-timer.C:
		}
		bytes := r.log.bytes.Load()
		rested := time.Since(last) >= s.SnapshotInterval
		if last.IsZero() || bytes >= s.SnapshotBytes && rested || bytes >= 4*s.SnapshotBytes {
			r.takeSnapshot(ctx)
			last = time.Now()
		}
		// A long log waits for its interval to end; a short one says when it is long.
		next := s.SnapshotInterval - time.Since(last)
		if next <= 0 {
			next = s.SnapshotInterval
		}
		timer.Reset(next)
	}
}

// Snapshot takes one now. It returns once the snapshot is durable.
func (r *Replica) Snapshot(ctx context.Context) error {
	err := r.snapshot(ctx)
	if errors.Is(err, raft.ErrNothingNewToSnapshot) {
		return nil
	}
	return candor.Wrap("snapshot", err)
}

// snapshot is Snapshot, with raft's word that there is nothing new.
func (r *Replica) snapshot(ctx context.Context) error {
	if err := r.keepTrailing(); err != nil {
		return err
	}
	_, err := await(ctx, r, func() raft.SnapshotFuture {
		r.snapshotStore.own.Add(1)
		return &ownSnapshot{SnapshotFuture: r.raft.Snapshot(), done: func() { r.snapshotStore.own.Add(-1) }}
	})
	return err
}

// ownSnapshot tells when raft is done with a snapshot of this server's.
type ownSnapshot struct {
	raft.SnapshotFuture
	done func()
}

// Error waits for the end.
func (s *ownSnapshot) Error() error {
	defer s.done()
	return s.SnapshotFuture.Error()
}

func (r *Replica) takeSnapshot(ctx context.Context) {
	began := time.Now()
	if err := r.Snapshot(ctx); err != nil {
		// A membership change under way, mostly; the next look tries again.
		r.logger.Warn("no snapshot taken", "error", err)
		return
	}
	r.logger.Info("snapshot taken", "index", r.lastSnapshot.index.Load(), "bytes", r.lastSnapshot.bytes.Load(), "took", time.Since(began))
}

// keepTrailing tells raft how many entries to keep behind the snapshot. They
// must outlast a follower's installing of it, so that their bytes grow with the
// snapshot's.
func (r *Replica) keepTrailing() error {
	s := &r.settings
	bytes := max(s.TrailingBytes, 2*r.lastSnapshot.bytes.Load())
	entries := uint64(bytes / r.log.entryBytes())
	entries = max(entries, min(s.TrailingEntries, 4*entries), 1)
	return r.tune(func(c *raft.ReloadableConfig) { c.TrailingLogs = entries })
}

// snapshotKept hears of each snapshot that exists now.
func (r *Replica) snapshotKept(index uint64, bytes int64) {
	r.lastSnapshot.index.Store(index)
	r.lastSnapshot.bytes.Store(bytes)
}

// refusedSnapshot is for one that the state machine did not take. While running
// it came from a leader and has replaced ours on disk: it is set aside, and
// ours, which the machine still holds, is written again.
func (r *Replica) refusedSnapshot(cause error) {
	if r.log.loading.Load() {
		return
	}
	r.logger.Error("snapshot refused", "error", cause)
	if r.dir != nil {
		if err := r.dir.Snapshots().SetAside(r.snapshotStore.openedID()); err != nil {
			r.failure.report(candor.Wrap("set the refused snapshot aside", err))
			return
		}
	}
	select {
	case r.again <- struct{}{}:
	default:
	}
}
