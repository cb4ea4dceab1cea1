package replica

import (
	"context"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/internal/zoo"
)

// prover asks the leader how far the root is, for a server that does not lead:
// docs/protocol.md, section 4. One goroutine asks, and callers share answers as
// those of the confirmer do.
type prover struct {
	*rounds
	replica *Replica
	// guess is who was said to lead, or asked last where nobody knows.
	guess raft.ServerID
	begun atomic.Uint64
}

func newProver(r *Replica) *prover { return &prover{rounds: newRounds(), replica: r} }

// run asks until ctx ends.
func (p *prover) run(ctx context.Context) {
	defer p.close()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.kick:
			if rd := p.begin(); rd != nil {
				p.conduct(ctx, rd)
				close(rd.done)
			}
		}
	}
}

// conduct notes the time, asks, and has the answer speak of that time.
func (p *prover) conduct(ctx context.Context, rd *round) {
	r := p.replica
	to, ok := p.whom()
	if !ok {
		rd.err = candor.Errorf(candor.ReasonRootUnavailable, "no leader is known, and nobody else to ask")
		return
	}
	p.begun.Add(1)
	began := r.clock.Boot()
	// Read after that moment: the question is a confirmation itself.
	term := r.raft.CurrentTerm()
	// The leader asks a majority meanwhile, which has its own time limit.
	bounded, cancel := context.WithTimeout(ctx, 2*r.settings.ConfirmTimeout)
	defer cancel()
	answer, err := r.peers.Prove(bounded, to, term)
	switch {
	case ctx.Err() != nil:
		rd.err = errStopping
	case err != nil:
		p.next(to.ID)
		rd.err = candor.Errorf(candor.ReasonRootUnavailable, "server %s gave no proof: %w", to.ID, err)
	case answer.Refusal == candor.ReasonNotAMember:
		rd.err = candor.Errorf(candor.ReasonNotAMember, "the leader, server %s, says that this server is no member in configuration of term %d", to.ID, answer.Term)
	case answer.Refusal != "":
		if p.guess = raft.ServerID(answer.Leader); p.guess == "" {
			p.next(to.ID)
		}
		rd.err = candor.Errorf(candor.ReasonRootUnavailable, "server %s gave no proof: %s", to.ID, answer.Refusal)
	default:
		rd.proof = answer.Proof
		rd.proof.Began = began
		if zoo.Enabled && zoo.Has(zoo.ProofFromReceipt) {
			rd.proof.Began = r.clock.Boot()
		}
	}
}

// whom is the leader that raft knows, or the guess, or the first other voter.
func (p *prover) whom() (raft.Server, bool) {
	r := p.replica
	configuration := r.track.latest()
	if _, id := r.raft.LeaderWithID(); id != "" && string(id) != r.serverID {
		if s, found := configuration.Find(id); found {
			return s, true
		}
	}
	if s, found := configuration.Find(p.guess); found && string(s.ID) != r.serverID {
		return s, true
	}
	p.next(p.guess)
	s, found := configuration.Find(p.guess)
	return s, found
}

// next guesses the voter that follows one in the configuration.
func (p *prover) next(after raft.ServerID) {
	var others []raft.Server
	place := -1
	for _, s := range p.replica.track.latest().Voters() {
		if string(s.ID) == p.replica.serverID {
			continue
		}
		if s.ID == after {
			place = len(others)
		}
		others = append(others, s)
	}
	p.guess = ""
	if len(others) > 0 {
		p.guess = others[(place+1)%len(others)].ID
	}
}

// Prove establishes how far the root was at some moment after the call: a leader
// has a majority confirm it, any other server asks the leader to. The view holds
// everything acknowledged before the proof began once it has applied the proof's
// index. Concurrent calls share a question.
//
// Errors are those of Confirm, ROOT_UNAVAILABLE, and NOT_A_MEMBER from a leader
// that has another configuration.
func (r *Replica) Prove(ctx context.Context) (Proof, error) {
	if r.leading.Load() != nil {
		return r.Confirm(ctx)
	}
	if ctx.Err() != nil {
		return Proof{}, ended(ctx, "before the leader was asked")
	}
	rd, err := r.prover.wait(ctx)
	if err != nil {
		return Proof{}, err
	}
	if rd.err != nil {
		return Proof{}, r.hinted(rd.err)
	}
	return rd.proof, nil
}

// ServeProve is a leader's half of Prove, for a member of the cluster that was in
// a term when it asked. confirmed says that the proof is of a round of this
// server's own, so that it is worth as much here.
func (r *Replica) ServeProve(ctx context.Context, from string, term uint64) (answer ProveAnswer, confirmed bool) {
	proof, enough := r.askerConfirms(from, term)
	if !enough {
		var err error
		if proof, err = r.Confirm(ctx); err != nil {
			refusal := ProveAnswer{Refusal: candor.ReasonOf(err)}
			if leader := r.Leader(); leader != nil && leader.ServerID != r.serverID {
				refusal.Leader = leader.ServerID
			}
			return refusal, false
		}
	}
	configuration := r.track.latest()
	// A removal that is not committed yet may be taken back.
	if _, member := configuration.Find(raft.ServerID(from)); !member && configuration.Index <= proof.Index {
		return ProveAnswer{Refusal: candor.ReasonNotAMember, Proof: Proof{Term: proof.Term}}, false
	}
	if first, err := r.log.FirstIndex(); err == nil {
		proof.First = first
	}
	return ProveAnswer{Proof: proof}, !enough
}

// askerConfirms proves by the question alone where the asker and this server are
// a majority of the voters. The asker was in this server's term at some moment
// after the one that its proof is to speak of; so no other leader had a majority
// at that moment, and what was acknowledged before it is committed here.
func (r *Replica) askerConfirms(from string, term uint64) (Proof, bool) {
	lead := r.leading.Load()
	if lead == nil || lead.term != term {
		return Proof{}, false
	}
	proof := Proof{Term: term, Index: r.raft.CommitIndex()}
	have, voters := 0, 0
	for _, s := range r.raft.GetConfiguration().Configuration().Servers {
		if s.Suffrage != raft.Voter {
			continue
		}
		voters++
		if string(s.ID) == from || string(s.ID) == r.serverID {
			have++
		}
	}
	if have <= voters/2 || r.leading.Load() != lead || !r.leads(term) {
		return Proof{}, false
	}
	proof.Root, proof.Agreed = r.machine.View().Token(), r.AuditStatus().Agreed
	return proof, true
}

// AuditStatus is what this server found as the leader, comparing the voters'
// states.
func (r *Replica) AuditStatus() AuditStatus { return r.confirm.audit.status() }
