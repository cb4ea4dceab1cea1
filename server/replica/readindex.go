package replica

import (
	"context"

	"github.com/candor-plane/candor"
)

// ReadIndex returns an index that covers everything acknowledged before the
// call, and the term in which this server was the leader after it: a majority
// of the voters said so meanwhile. The caller waits until its view has applied
// the index. Concurrent calls share a round of questions.
//
// Errors are NOT_LEADER with a hint, LEADERSHIP_UNCONFIRMED, CANCELED,
// TIMED_OUT and SHUTTING_DOWN.
func (r *Replica) ReadIndex(ctx context.Context) (index, term uint64, err error) {
	if ctx.Err() != nil {
		return 0, 0, ended(ctx, "before leadership was confirmed")
	}
	if r.leading.Load() == nil {
		return 0, 0, r.hinted(r.unconfirmed())
	}
	return r.confirm.wait(ctx)
}

// WaitApplied returns once this server's view shows the entry at index. Errors
// are CANCELED, TIMED_OUT and SHUTTING_DOWN.
func (r *Replica) WaitApplied(ctx context.Context, index uint64) error {
	return r.applied.wait(ctx, index)
}

// ServeConfirm says which term this server is in, with its state digests from
// an index on, or the newest alone when that is 0. It waits for nothing.
func (r *Replica) ServeConfirm(nonce, from uint64) ConfirmAnswer {
	view := r.machine.View()
	if from == 0 {
		from = view.Token().Index
	}
	return ConfirmAnswer{
		ServerID: r.serverID, ClusterID: view.ClusterID(), Term: r.raft.CurrentTerm(), Nonce: nonce,
		Digests: r.machine.Digests(from),
	}
}

// Leading says whether this server believes that it leads and has applied its
// LeaderStart. It proves nothing.
func (r *Replica) Leading() bool {
	lead := r.leading.Load()
	return lead != nil && r.leads(lead.term)
}

// Leader is where the leader is believed to be; nil when nobody knows.
func (r *Replica) Leader() *candor.LeaderHint {
	_, id := r.raft.LeaderWithID()
	if id == "" {
		return nil
	}
	return &candor.LeaderHint{ServerID: string(id), Term: r.raft.CurrentTerm()}
}
