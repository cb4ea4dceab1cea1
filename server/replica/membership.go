package replica

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
)

// Configuration is the newest that this server knows.
func (r *Replica) Configuration() Configuration { return r.track.latest() }

// Bootstrap makes the servers the first members of a new cluster, this one
// among them. It is refused where a log, a vote or a snapshot exists. Several
// servers may do so with the same list.
func (r *Replica) Bootstrap(servers []raft.Server) error {
	if len(servers) == 0 {
		return candor.Errorf(candor.ReasonInvalid, "bootstrap: no servers")
	}
	err := r.raft.BootstrapCluster(raft.Configuration{Servers: servers}).Error()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, raft.ErrCantBootstrap):
		return candor.Errorf(candor.ReasonConflict, "bootstrap: this server has a log already: it belongs to a cluster")
	case errors.Is(err, raft.ErrNotVoter):
		return candor.Errorf(candor.ReasonInvalid, "bootstrap: server %s is no voter in the list", r.serverID)
	default:
		return candor.Wrap("bootstrap", candor.Errorf(candor.ReasonInvalid, "%w", err))
	}
}

// Join adds a server that receives the log and has no vote, or moves a member
// to a new address. expected is the configuration the caller decided on, 0 for
// any. It returns the index of the configuration that holds the server.
func (r *Replica) Join(ctx context.Context, server raft.Server, expected uint64) (uint64, error) {
	return r.change(ctx, "join", expected, func(c Configuration) (changing, error) {
		for _, member := range c.Servers {
			if member.ID == server.ID && member.Address == server.Address {
				return nil, nil
			}
			if member.ID != server.ID && member.Address == server.Address {
				return nil, candor.Errorf(candor.ReasonMemberExists, "address %s belongs to member %s: remove that first", server.Address, member.ID)
			}
		}
		return func() raft.IndexFuture { return r.raft.AddNonvoter(server.ID, server.Address, c.Index, r.enqueue(ctx)) }, nil
	})
}

// Promote gives a member its vote once it has proved that its view holds
// everything acknowledged before the call.
func (r *Replica) Promote(ctx context.Context, id string, expected uint64) (uint64, error) {
	return r.change(ctx, "promote", expected, func(c Configuration) (changing, error) {
		server, found := c.Find(raft.ServerID(id))
		if !found {
			return nil, notAMember(id, c)
		}
		if server.Suffrage == raft.Voter {
			return nil, nil
		}
		if err := r.caughtUp(ctx, server); err != nil {
			return nil, err
		}
		return func() raft.IndexFuture { return r.raft.AddVoter(server.ID, server.Address, c.Index, r.enqueue(ctx)) }, nil
	})
}

// Remove takes a member out. Unless forced it is refused when too few of the
// remaining voters answer to form a quorum. A leader asked to remove itself
// first hands leadership over and then refuses with NOT_LEADER, so that the new
// leader is asked.
func (r *Replica) Remove(ctx context.Context, id string, expected uint64, force bool) (uint64, error) {
	return r.change(ctx, "remove", expected, func(c Configuration) (changing, error) {
		server, found := c.Find(raft.ServerID(id))
		if !found {
			return nil, notAMember(id, c)
		}
		if err := r.quorumWithout(ctx, c, server, force); err != nil {
			return nil, err
		}
		if id == r.serverID {
			if err := r.transferLeader(ctx, ""); err != nil {
				return nil, err
			}
			return nil, r.hinted(errNotLeading)
		}
		return func() raft.IndexFuture { return r.raft.RemoveServer(server.ID, c.Index, r.enqueue(ctx)) }, nil
	})
}

// changing asks raft for a membership change; nil when none is needed.
type changing func() raft.IndexFuture

// change runs one membership change on the leader, after a confirmed read, on
// the configuration that the caller expects.
func (r *Replica) change(ctx context.Context, op string, expected uint64, begin func(Configuration) (changing, error)) (uint64, error) {
	index, err := r.tryChange(ctx, expected, begin)
	return index, candor.Wrap(op, err)
}

func (r *Replica) tryChange(ctx context.Context, expected uint64, begin func(Configuration) (changing, error)) (uint64, error) {
	if r.closing.Load() {
		return 0, errStopping
	}
	if _, _, err := r.ReadIndex(ctx); err != nil {
		return 0, err
	}
	before := r.track.latest()
	if expected != 0 && expected != before.Index {
		return 0, moved(expected, before.Index)
	}
	ask, err := begin(before)
	if err != nil || ask == nil {
		return before.Index, err
	}
	future, err := await(ctx, r, ask)
	if err != nil {
		return 0, r.changeError(err, before.Index)
	}
	return future.Index(), nil
}

func (r *Replica) changeError(err error, before uint64) error {
	var e *candor.Error
	switch now := r.track.latest().Index; {
	case errors.As(err, &e) && e.Reason == candor.ReasonShuttingDown:
		return err
	case errors.As(err, &e):
		// Of our log store, or of the context: it may have been done.
		return candor.Errorf(candor.ReasonOutcomeUnknown, "nobody knows whether the change will be committed: %w", err)
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress):
		return r.hinted(errNotLeading)
	case errors.Is(err, raft.ErrEnqueueTimeout):
		return candor.Errorf(candor.ReasonTimedOut, "another membership change is under way: this one is not done")
	case errors.Is(err, raft.ErrLeadershipLost), errors.Is(err, raft.ErrRaftShutdown), errors.Is(err, raft.ErrAbortedByRestore):
		return candor.Errorf(candor.ReasonOutcomeUnknown, "nobody knows whether the change will be committed: %w", err)
	case now != before:
		return moved(before, now)
	default:
		return candor.Errorf(candor.ReasonInvalid, "%w", err)
	}
}

// enqueue is how long a change may wait for the one before it.
func (r *Replica) enqueue(ctx context.Context) time.Duration {
	wait := 4 * r.settings.Election
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(deadline))
	}
	return max(wait, time.Millisecond)
}

// caughtUp waits until the server says that it has applied what is acknowledged
// now.
func (r *Replica) caughtUp(ctx context.Context, server raft.Server) error {
	index, term, err := r.ReadIndex(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, r.settings.CatchUpTimeout)
	defer cancel()
	applied, why := uint64(0), "it did not answer"
	for {
		answer, err := r.askApplied(ctx, server, term)
		if err != nil {
			why = err.Error()
		} else if applied = answer.Applied(); applied >= index {
			return nil
		}
		select {
		case <-ctx.Done():
			if applied > 0 {
				why = fmt.Sprintf("it has applied index %d; the root is at %d", applied, index)
			}
			return candor.Errorf(candor.ReasonNotCaughtUp, "server %s has not caught up: %s", server.ID, why)
		case <-time.After(r.settings.Heartbeat / 5):
		}
	}
}

func (r *Replica) askApplied(ctx context.Context, server raft.Server, term uint64) (ConfirmAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, r.settings.ConfirmTimeout)
	defer cancel()
	nonce := r.asked.Add(1)
	answer, err := r.peers.Confirm(ctx, server, ConfirmQuestion{Term: term, Nonce: nonce})
	if err != nil {
		return answer, err
	}
	if answer.ServerID != string(server.ID) || answer.ClusterID != r.machine.View().ClusterID() || answer.Nonce != nonce {
		return answer, candor.Errorf(candor.ReasonClusterMismatch, "at %s answers server %s of cluster %s", server.Address, answer.ServerID, answer.ClusterID)
	}
	return answer, nil
}

// quorumWithout refuses a removal after which the voters that answer are no
// majority.
func (r *Replica) quorumWithout(ctx context.Context, c Configuration, leaving raft.Server, force bool) error {
	if leaving.Suffrage != raft.Voter {
		return nil
	}
	rest := c.Voters()
	answering := 0
	answers := make(chan bool, len(rest))
	asked := 0
	for _, voter := range rest {
		if voter.ID == leaving.ID {
			continue
		}
		asked++
		if string(voter.ID) == r.serverID {
			answers <- true
			continue
		}
		started := r.background.start(func() {
			_, err := r.askApplied(ctx, voter, r.raft.CurrentTerm())
			answers <- err == nil
		})
		if !started {
			return errStopping
		}
	}
	if asked == 0 {
		return candor.Errorf(candor.ReasonQuorumAtRisk, "server %s is the last voter", leaving.ID)
	}
	if force {
		return nil
	}
	for range asked {
		if <-answers {
			answering++
		}
	}
	if need := asked/2 + 1; answering < need {
		return candor.Errorf(candor.ReasonQuorumAtRisk, "without server %s there are %d voters, of which %d answer; a quorum needs %d", leaving.ID, asked, answering, need)
	}
	return nil
}

func notAMember(id string, c Configuration) error {
	return candor.Errorf(candor.ReasonNotAMember, "server %s is no member of configuration %d", id, c.Index)
}

func moved(expected, now uint64) error {
	return candor.Errorf(candor.ReasonEpochMismatch, "the members are those of configuration %d; the request expects %d", now, expected)
}
