package server

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
)

// The health word candor.write says that a quorum was confirmed a short while
// ago, on the way that a write takes from this server: for a leader, a round of
// confirmations or a commit; for a follower, an answer to a probe that went where
// its forwarded writes go, and for which the leader had its quorum confirmed.
// That a leader is known, or was heard, says nothing of the kind.
const (
	// provenFor is how old the evidence may be.
	provenFor = 3 * time.Second
	// probeAfter is how old it gets before it is renewed. A busy leader's is never
	// so old; an idle server asks once in this time.
	probeAfter = time.Second
)

// writePath knows the evidence. Methods but the probe's own belong to the
// goroutine of the duties.
type writePath struct {
	server  *Server
	probing atomic.Bool
	proof   atomic.Pointer[pathProof]
}

// pathProof says that the leader of a term answered a probe begun at a moment of
// the replica's clock.
type pathProof struct {
	leader string
	term   uint64
	began  time.Duration
}

// proven says whether the evidence is young enough.
func (p *writePath) proven() bool {
	age, known := p.age()
	return known && age <= provenFor && p.server.replica.Failure() == nil
}

// age is how old the evidence is.
func (p *writePath) age() (time.Duration, bool) {
	r := p.server.replica
	if at, leads := r.Quorum(); leads {
		return r.Elapsed(at), true
	}
	hint, proof := r.Leader(), p.proof.Load()
	if hint == nil || proof == nil || proof.leader != hint.ServerID || proof.term != hint.Term {
		return 0, false
	}
	return r.Elapsed(proof.began), true
}

// renew asks again when the evidence grows old, one question at a time.
func (p *writePath) renew(ctx context.Context) {
	if age, known := p.age(); known && age < probeAfter {
		return
	}
	hint := p.server.replica.Leader()
	if hint == nil || !p.probing.CompareAndSwap(false, true) {
		return
	}
	p.server.run(func() {
		defer p.probing.Store(false)
		ctx, cancel := context.WithTimeout(ctx, 2*p.server.config.Settings.ConfirmTimeout)
		defer cancel()
		if err := p.probe(ctx, hint); err != nil && ctx.Err() == nil {
			p.server.logger.Debug("write path not proven", "leader", hint.ServerID, "error", err)
		}
	})
}

func (p *writePath) probe(ctx context.Context, hint *candor.LeaderHint) error {
	if hint.ServerID == p.server.serverID {
		_, err := p.server.replica.Confirm(ctx)
		return err
	}
	began := p.server.replica.Elapsed(0)
	to := raft.Server{ID: raft.ServerID(hint.ServerID)}
	if err := p.server.peers().Probe(ctx, to, hint.Term); err != nil {
		return err
	}
	p.proof.Store(&pathProof{leader: hint.ServerID, term: hint.Term, began: began})
	return nil
}
