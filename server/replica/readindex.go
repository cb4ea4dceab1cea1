package replica

import (
	"context"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
)

// Proof is what a round of confirmations established.
type Proof struct {
	// Index covers everything acknowledged before the round began.
	Index uint64
	// Term is the one in which the leader was the leader after that.
	Term uint64
	// Began is when, on this replica's clock.
	Began time.Duration
	// Root is the newest position that the leader's view had.
	Root candor.Token
	// First is the first index that the leader's log holds; 0 on the leader.
	First uint64
	// Agreed is the newest digest that a majority of the voters was seen to share.
	Agreed fsm.IndexDigest
}

// Confirm has a majority of the voters say that this server leads, in a round
// that begins after the call. The caller waits until its view has applied the
// proof's index. Concurrent calls share a round of questions.
//
// Errors are NOT_LEADER with a hint, LEADERSHIP_UNCONFIRMED, CANCELED,
// TIMED_OUT and SHUTTING_DOWN.
func (r *Replica) Confirm(ctx context.Context) (Proof, error) {
	if ctx.Err() != nil {
		return Proof{}, ended(ctx, "before leadership was confirmed")
	}
	if r.leading.Load() == nil {
		return Proof{}, r.hinted(r.unconfirmed())
	}
	rd, err := r.confirm.wait(ctx)
	if err != nil {
		return Proof{}, err
	}
	if rd.err != nil {
		return Proof{}, r.hinted(rd.err)
	}
	return rd.proof, nil
}

// ReadIndex is index and term of a Confirm.
func (r *Replica) ReadIndex(ctx context.Context) (index, term uint64, err error) {
	p, err := r.Confirm(ctx)
	return p.Index, p.Term, err
}

// Quorum is the newest moment, on the replica's clock, of which it is known that
// a majority of the voters followed this server: the beginning of a round of
// confirmations that succeeded, or of an entry that was committed. False when
// this server does not lead.
func (r *Replica) Quorum() (at time.Duration, ok bool) {
	lead := r.leading.Load()
	if lead == nil || !r.leads(lead.term) {
		return 0, false
	}
	return time.Duration(lead.proved.Load()), true
}

// LedIn says that this server leads, and in that term: then every entry of the
// term is its own. It proves nothing of now.
func (r *Replica) LedIn(term uint64) bool {
	lead := r.leading.Load()
	return lead != nil && lead.term == term
}

// ClusterTime is what this server would stamp an entry with now; false when it
// does not lead.
func (r *Replica) ClusterTime() (nanoseconds int64, ok bool) {
	lead := r.leading.Load()
	if lead == nil {
		return 0, false
	}
	return lead.time(r.clock.Boot()), true
}

// Elapsed is how long ago a moment of the replica's clock was.
func (r *Replica) Elapsed(since time.Duration) time.Duration { return r.clock.Boot() - since }

// Wall is the date by the replica's clock.
func (r *Replica) Wall() time.Time { return r.clock.Wall() }

// WaitApplied returns once this server's view shows the entry at index. Errors
// are CANCELED, TIMED_OUT and SHUTTING_DOWN.
func (r *Replica) WaitApplied(ctx context.Context, index uint64) error {
	return r.applied.wait(ctx, index)
}

// ServeConfirm says which term this server is in, with its newest state digest
// and the one it is asked for. It waits for nothing.
func (r *Replica) ServeConfirm(q ConfirmQuestion) ConfirmAnswer {
	view := r.machine.View()
	a := ConfirmAnswer{ServerID: r.serverID, ClusterID: view.ClusterID(), Term: r.raft.CurrentTerm(), Nonce: q.Nonce}
	a.Newest, _ = r.machine.DigestAt(view.Token().Index)
	a.Audited, _ = r.machine.DigestAt(q.Audit)
	return a
}

// Leading says whether this server believes that it leads and has applied its
// LeaderStart. It proves nothing.
func (r *Replica) Leading() bool {
	lead := r.leading.Load()
	return lead != nil && r.leads(lead.term)
}

// Leader is where the leader is believed to be; nil when nobody knows.
func (r *Replica) Leader() *candor.LeaderHint {
	id, term := r.LeaderID()
	if id == "" {
		return nil
	}
	return &candor.LeaderHint{ServerID: id, Term: term}
}

// LeaderID is who is believed to lead, and in which term; empty when nobody
// knows.
func (r *Replica) LeaderID() (id string, term uint64) {
	_, leader := r.raft.LeaderWithID()
	return string(leader), r.raft.CurrentTerm()
}
