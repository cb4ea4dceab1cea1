package replica

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
)

// distrustStretch is how many election timeouts a server whose own state is not
// to be trusted waits for a leader before it stands for election.
const distrustStretch = 8

// Distrust says whether this server's state is quarantined (docs/protocol.md,
// section 6). While it is, the server takes no writes as a leader and hands
// leadership to a voter whose state a majority shares, and is slow to stand for
// election. Its log, term and vote stay what they are.
func (r *Replica) Distrust(on bool) {
	if r.distrusted.Swap(on) == on {
		return
	}
	if lead := r.leading.Load(); lead != nil {
		r.admitWrites(lead)
	}
}

// mayStand says whether this server may ask for votes. One that is distrusted
// lets the others go first; it misses the leader as soon as they do, since it
// votes for none of them before it does.
func (r *Replica) mayStand() bool {
	if !r.distrusted.Load() {
		return true
	}
	since := r.began
	if contact := r.raft.LastContact(); contact.After(since) {
		since = contact
	}
	return time.Since(since) >= distrustStretch*r.settings.Election
}

// admitWrites opens the queue to writes, or, on a server that is not to be
// trusted, closes it and gives leadership up.
func (r *Replica) admitWrites(lead *leadership) {
	r.admitting.Lock()
	defer r.admitting.Unlock()
	if r.leading.Load() != lead {
		return
	}
	if !r.distrusted.Load() {
		r.queue.set(gateOpen, lead, nil)
		return
	}
	r.queue.set(gateClosed, nil, errNotLeading)
	r.background.start(func() { r.abdicate(lead) })
}

// abdicate tries to hand leadership over until it is gone or trust is back.
func (r *Replica) abdicate(lead *leadership) {
	retry := time.NewTicker(r.settings.Election)
	defer retry.Stop()
	for r.leading.Load() == lead && r.distrusted.Load() {
		ctx, cancel := context.WithTimeout(context.Background(), 4*r.settings.Election)
		err := r.transferLeader(ctx, "")
		cancel()
		if err == nil {
			return
		}
		r.logger.Warn("a quarantined leader cannot hand leadership over", "error", err)
		select {
		case <-r.stopping:
			return
		case <-retry.C:
		}
	}
}

// sound is another voter that has not been seen to differ, each in turn, since
// one may be out of reach; empty when none differs.
func (r *Replica) sound(voters []raft.Server) (raft.ServerID, error) {
	differing := r.AuditStatus().Differing
	if len(differing) == 0 {
		return "", nil
	}
	var found []raft.ServerID
	for _, s := range voters {
		if string(s.ID) != r.serverID && !slices.Contains(differing, s.ID) {
			found = append(found, s.ID)
		}
	}
	if len(found) == 0 {
		return "", candor.Errorf(candor.ReasonQuorumAtRisk, "every other voter's state differs from the majority's")
	}
	return found[int((r.heirs.Add(1)-1)%uint64(len(found)))], nil
}

// Adopt puts a rebuilt state in the place of the state machine's, once this
// server's own log has brought it to the same position, and makes it durable. A
// leader refuses.
func (r *Replica) Adopt(ctx context.Context, rebuilt *fsm.Machine) error {
	if r.raft.State() == raft.Leader {
		return candor.Errorf(candor.ReasonUnavailable, "this server leads: it must hand leadership over first")
	}
	if err := r.applied.wait(ctx, rebuilt.View().Token().Index); err != nil {
		return err
	}
	if err := r.machine.Adopt(rebuilt, r.committed); err != nil {
		return candor.Wrap("adopt a rebuilt state", err)
	}
	// Until a snapshot holds it, a restart would rebuild the state from what it
	// was built from before.
	err := r.snapshot(ctx)
	if errors.Is(err, raft.ErrNothingNewToSnapshot) {
		return candor.Errorf(candor.ReasonUnavailable, "the rebuilt state cannot be kept before this server has applied an entry since its start")
	}
	return candor.Wrap("keep the rebuilt state", err)
}

// committed reads entries for the state machine from the log, a batch at a time.
func (r *Replica) committed(after, upto uint64) ([]fsm.Committed, error) {
	var out []fsm.Committed
	for index := after + 1; index <= upto && len(out) < r.settings.MaxAppendEntries; index++ {
		var entry raft.Log
		if err := r.log.GetLog(index, &entry); err != nil {
			return nil, candor.Errorf(candor.ReasonUnavailable, "this server's log does not hold entry %d any more: %w", index, err)
		}
		// raft hands nothing else to a state machine.
		if entry.Type == raft.LogCommand || entry.Type == raft.LogConfiguration {
			out = append(out, committedOf(&entry))
		}
	}
	return out, nil
}
