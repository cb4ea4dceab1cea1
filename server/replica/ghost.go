package replica

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// ghostLook is how often a candidate is looked at; ghostLooks is how many looks in a
// row must find the same.
const (
	ghostLook  = 100 * time.Millisecond
	ghostLooks = 3
)

// ghost finds a candidate that still has a leader, and takes it away.
//
// raft takes heartbeats beside its main loop. One that is being taken while the main
// loop gives the leader up sets that leader again for a server that is a candidate by
// then, and nothing takes it back: for its sake the candidate refuses everybody's
// votes, and where it cannot win itself nobody can, until the dead leader is back.
// Where that is found, raft is handed a heartbeat of this term that names no leader:
// it becomes a follower without one, which votes, and stands again in its time. The
// message has no entries and no commit index, so it changes nothing but that.
type ghost struct {
	// take is how raft takes heartbeats; nil until it has said so.
	take atomic.Pointer[func(raft.RPC)]
}

// candidacy is what is to be known of raft.
type candidacy interface {
	State() raft.RaftState
	LeaderWithID() (raft.ServerAddress, raft.ServerID)
	CurrentTerm() uint64
}

// haunted says whether a candidate has a leader, and which one in which term.
func haunted(r candidacy) (who haunting, there bool) {
	if r.State() != raft.Candidate {
		return haunting{}, false
	}
	_, who.leader = r.LeaderWithID()
	who.term = r.CurrentTerm()
	return who, who.leader != ""
}

type haunting struct {
	leader raft.ServerID
	term   uint64
}

// watch looks while raft is a candidate, until ctx ends; stood has a value whenever it may
// have become one. told hears of what it took away.
func (g *ghost) watch(ctx context.Context, r candidacy, stood <-chan raft.Observation, told func(leader raft.ServerID)) {
	for {
		if r.State() == raft.Candidate {
			g.look(ctx, r, told)
		}
		select {
		case <-ctx.Done():
			return
		case <-stood:
		}
	}
}

// look looks at a candidate until it is none, or ctx ends.
func (g *ghost) look(ctx context.Context, r candidacy, told func(leader raft.ServerID)) {
	ticker := time.NewTicker(ghostLook)
	defer ticker.Stop()
	var last haunting
	for seen := 0; r.State() == raft.Candidate; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now, there := haunted(r)
		if !there || now.leader != last.leader {
			seen = 0
		}
		last = now
		if !there {
			continue
		}
		if seen++; seen < ghostLooks {
			continue
		}
		seen = 0
		if g.nobody(now.term) {
			told(now.leader)
		}
	}
}

// follow watches a raft.
func (g *ghost) follow(ctx context.Context, r *raft.Raft, told func(leader raft.ServerID)) {
	// One that waits says enough: the state itself is looked at.
	stood := make(chan raft.Observation, 1)
	observer := raft.NewObserver(stood, false, func(o *raft.Observation) bool {
		state, ok := o.Data.(raft.RaftState)
		return ok && state == raft.Candidate
	})
	r.RegisterObserver(observer)
	defer r.DeregisterObserver(observer)
	g.watch(ctx, r, stood, told)
}

// nobody hands raft a heartbeat of a term that names no leader; false while raft takes
// none.
func (g *ghost) nobody(term uint64) bool {
	take := g.take.Load()
	if take == nil {
		return false
	}
	(*take)(raft.RPC{Command: &raft.AppendEntriesRequest{Term: term}, RespChan: make(chan raft.RPCResponse, 1)})
	return true
}
