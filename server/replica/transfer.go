package replica

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
)

// stuckTransfer finds raft's transfer flag left set: raft then refuses every
// write for good and stays leader. Nothing but a restart clears it.
type stuckTransfer struct {
	limit time.Duration
	fatal func(error)

	mu    sync.Mutex
	since time.Time
	last  time.Time
}

// observe hears how each entry's proposal ended.
func (t *stuckTransfer) observe(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !errors.Is(err, raft.ErrLeadershipTransferInProgress) {
		t.since = time.Time{}
		return
	}
	now := time.Now()
	// Two transfers with silence between them are not one that lasts.
	if t.since.IsZero() || now.Sub(t.last) > t.limit/2 {
		t.since = now
	}
	t.last = now
	if lasts := now.Sub(t.since); lasts > t.limit {
		t.fatal(candor.Errorf(candor.ReasonUnavailable, "a leadership transfer has been under way for %s and blocks every write: ending the process so that the others elect a leader", lasts.Round(time.Millisecond)))
	}
}

// TransferLeader hands leadership to a voter, or to the one that is furthest
// when target is empty, and returns once this server no longer leads.
func (r *Replica) TransferLeader(ctx context.Context, target string) error {
	return candor.Wrap("transfer leadership", r.transferLeader(ctx, target))
}

func (r *Replica) transferLeader(ctx context.Context, target string) error {
	lead := r.leading.Load()
	if lead == nil {
		return r.hinted(errNotLeading)
	}
	begin, err := r.transferTo(target)
	if err != nil {
		return err
	}
	if _, err := await(ctx, r, begin); err != nil {
		if _, ok := errors.AsType[*candor.Error](err); ok {
			return err
		}
		return candor.Errorf(candor.ReasonUnavailable, "leadership stays here: %w", err)
	}
	return nil
}

func (r *Replica) transferTo(target string) (begin func() raft.Future, err error) {
	configuration := r.track.latest()
	if target == "" {
		if len(configuration.Voters()) < 2 {
			return nil, candor.Errorf(candor.ReasonQuorumAtRisk, "there is no other voter to hand leadership to")
		}
		sound, err := r.sound(configuration.Voters())
		if err != nil {
			return nil, err
		}
		if sound == "" {
			return r.raft.LeadershipTransfer, nil
		}
		target = string(sound)
	}
	server, found := configuration.Find(raft.ServerID(target))
	switch {
	case !found:
		return nil, candor.Errorf(candor.ReasonNotAMember, "server %s is no member of configuration %d", target, configuration.Index)
	case server.Suffrage != raft.Voter:
		return nil, candor.Errorf(candor.ReasonNotCaughtUp, "server %s has no vote: promote it first", target)
	case slices.Contains(r.AuditStatus().Differing, server.ID):
		return nil, candor.Errorf(candor.ReasonConflict, "the state of server %s differs from the majority's: it is no target", target)
	case target == r.serverID:
		return nil, candor.Errorf(candor.ReasonInvalid, "server %s leads already", target)
	}
	return func() raft.Future { return r.raft.LeadershipTransferToServer(server.ID, server.Address) }, nil
}
