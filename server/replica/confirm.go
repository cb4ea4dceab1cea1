package replica

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/internal/zoo"
)

const (
	// confirmRetry is how soon a peer whose answer failed is asked again within
	// a round.
	confirmRetry = 10 * time.Millisecond
	// confirmsOut bounds the questions to one peer that have no answer yet: a
	// dead peer must not collect them.
	confirmsOut = 2
)

// confirmer proves that no newer leader existed at a moment after a reader
// came: PROTOCOL.md, section 4. One goroutine runs its rounds, one after the
// other; it never enters raft's main loop, which may be waiting for a disk.
type confirmer struct {
	*rounds
	replica *Replica
	audit   audit

	// These belong to the goroutine.
	nonce   uint64
	out     map[raft.ServerID]int
	answers chan confirmation
	calls   sync.WaitGroup
	// begun counts rounds.
	begun atomic.Uint64
}

// confirmation is what became of one question.
type confirmation struct {
	server raft.Server
	nonce  uint64
	answer ConfirmAnswer
	err    error
}

func newConfirmer(r *Replica) *confirmer {
	return &confirmer{
		rounds: newRounds(), replica: r, audit: audit{serverID: raft.ServerID(r.serverID)},
		out: map[raft.ServerID]int{}, answers: make(chan confirmation),
	}
}

// run conducts rounds until ctx ends.
func (c *confirmer) run(ctx context.Context) {
	defer c.calls.Wait()
	defer c.close()
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-c.answers:
			c.received(&a)
		case <-c.kick:
			if rd := c.begin(); rd != nil {
				c.conduct(ctx, rd)
				close(rd.done)
			}
		}
	}
}

// conduct runs one round: the index first, then the questions, then the term
// once more.
func (c *confirmer) conduct(ctx context.Context, rd *round) {
	r := c.replica
	lead := r.leading.Load()
	if lead == nil || !r.leads(lead.term) {
		rd.err = r.unconfirmed()
		return
	}
	c.nonce++
	c.begun.Add(1)
	rd.proof = Proof{Began: r.clock.Boot(), Term: lead.term}
	rd.proof.Index = r.raft.CommitIndex()
	configuration := r.raft.GetConfiguration().Configuration()
	c.audit.begin(r.machine, configuration.Servers)
	if rd.err = c.majority(ctx, lead.term, configuration.Servers); rd.err != nil {
		return
	}
	if r.leading.Load() != lead || !r.leads(lead.term) {
		rd.err = errNotLeading
		return
	}
	lead.prove(rd.proof.Began)
	rd.proof.Root, rd.proof.Agreed = r.machine.View().Token(), c.audit.agreed
}

// received takes note of an answer, whatever round it is of: that a server had a
// digest at an index is so for ever.
func (c *confirmer) received(a *confirmation) {
	c.out[a.server.ID]--
	if a.err == nil && c.genuine(a) {
		c.audit.hear(a.server.ID, a.answer.Audited)
	}
}

// majority asks the voters and returns once more than half of them are known to
// be in the term. This server counts if it is one of them.
func (c *confirmer) majority(ctx context.Context, term uint64, servers []raft.Server) *candor.Error {
	if zoo.Enabled && zoo.Has(zoo.SkipConfirm) {
		return nil
	}
	r := c.replica
	missing := map[raft.ServerID]raft.Server{}
	voters, have := 0, 0
	for _, s := range servers {
		if s.Suffrage != raft.Voter {
			continue
		}
		voters++
		if string(s.ID) == r.serverID {
			have++
			if zoo.Enabled && zoo.Has(zoo.ConfirmTwice) {
				have++
			}
			continue
		}
		missing[s.ID] = s
	}
	need := voters/2 + 1
	if have >= need {
		return nil
	}
	for _, s := range missing {
		c.ask(ctx, s, term)
	}
	deadline := time.NewTimer(r.settings.ConfirmTimeout)
	defer deadline.Stop()
	retry := time.NewTicker(confirmRetry)
	defer retry.Stop()
	var asked = c.nonce
	for {
		select {
		case <-ctx.Done():
			return errStopping
		case <-deadline.C:
			return candor.Errorf(candor.ReasonLeadershipUnconfirmed, "%d of %d voters confirmed term %d within %s; %d are needed", have, voters, term, r.settings.ConfirmTimeout, need)
		case <-retry.C:
			for _, s := range missing {
				if c.out[s.ID] == 0 {
					c.ask(ctx, s, term)
				}
			}
		case a := <-c.answers:
			c.received(&a)
			s, open := missing[a.server.ID]
			if !open {
				continue
			}
			switch {
			case a.nonce != asked:
				// Of an earlier round: it proves nothing here, and left room to ask.
				c.ask(ctx, s, term)
			case a.err != nil || !c.genuine(&a):
				// Asked again at the next retry.
			case a.answer.Term > term:
				return candor.Errorf(candor.ReasonNotLeader, "server %s is in term %d; this server led in term %d", s.ID, a.answer.Term, term)
			case a.answer.Term == term:
				delete(missing, s.ID)
				if have++; have >= need {
					return nil
				}
			}
		}
	}
}

// genuine says whether the answer is this question's, of this server, of this
// cluster.
func (c *confirmer) genuine(a *confirmation) bool {
	return a.answer.ServerID == string(a.server.ID) && a.answer.ClusterID == c.replica.machine.View().ClusterID() && a.answer.Nonce == a.nonce
}

// ask sends the round's question, unless the server has too many to answer.
func (c *confirmer) ask(ctx context.Context, s raft.Server, term uint64) {
	if c.out[s.ID] >= confirmsOut {
		return
	}
	c.out[s.ID]++
	q := ConfirmQuestion{Term: term, Nonce: c.nonce, Audit: c.audit.question()}
	c.calls.Go(func() {
		// Half a round, so that a server that was dead can be asked again within one.
		bounded, cancel := context.WithTimeout(ctx, c.replica.settings.ConfirmTimeout/2)
		defer cancel()
		answer, err := c.replica.peers.Confirm(bounded, s, q)
		select {
		case c.answers <- confirmation{server: s, nonce: q.Nonce, answer: answer, err: err}:
		case <-ctx.Done():
		}
	})
}

// unconfirmed tells a server that does not lead from one that is about to.
func (r *Replica) unconfirmed() *candor.Error {
	if r.raft.State() != raft.Leader {
		return errNotLeading
	}
	return candor.Errorf(candor.ReasonLeadershipUnconfirmed, "this server was elected and has not applied its first command yet")
}
