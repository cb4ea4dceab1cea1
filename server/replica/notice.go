package replica

import (
	"context"
	"time"
)

// noticeDelay is how long the leader waits for a next entry, which would tell of
// a commit too.
const noticeDelay = 2 * time.Millisecond

// notifier tells followers of a commit when no entry follows that would. raft
// itself does that CommitTimeout later, with messages that it also sends when
// there is nothing to tell.
//
// A notice is an append of no entries whose previous entry is the committed one:
// a follower takes the commit over only where its own log holds that very
// entry, and with it all before.
type notifier struct {
	replica *Replica
	aside   *aside
	kick    chan struct{}
}

func newNotifier(r *Replica) *notifier {
	return &notifier{replica: r, aside: newAside(r.transport, r.serverID), kick: make(chan struct{}, 1)}
}

// committed says that the leader has applied more. It never blocks.
func (n *notifier) committed() {
	if n.replica.leading.Load() == nil {
		return
	}
	select {
	case n.kick <- struct{}{}:
	default:
	}
}

func (n *notifier) run(ctx context.Context) {
	wait := time.NewTimer(noticeDelay)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.kick:
		}
		wait.Reset(noticeDelay)
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		n.tell()
	}
}

func (n *notifier) tell() {
	r := n.replica
	lead := r.leading.Load()
	if lead == nil || !r.leads(lead.term) {
		return
	}
	// Since LeaderStart is applied, the committed entry is of this term.
	index := r.raft.CommitIndex()
	if r.raft.LastIndex() != index {
		return
	}
	request := n.aside.request(lead.term)
	request.PrevLogEntry, request.PrevLogTerm, request.LeaderCommitIndex = index, lead.term, index
	for _, server := range r.track.latest().Servers {
		if string(server.ID) != r.serverID {
			n.aside.send(server, request, true)
		}
	}
}
