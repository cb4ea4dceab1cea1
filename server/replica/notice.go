package replica

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

const (
	// noticeDelay is how long the leader waits for a next entry, which would tell
	// of a commit too.
	noticeDelay = 2 * time.Millisecond
	// noticePause is how long a follower that could not use a notice gets none.
	noticePause = time.Second
)

// notifier tells followers of a commit when no entry follows that would. raft
// itself does that CommitTimeout later, with messages that it also sends when
// there is nothing to tell.
//
// A notice is an append of no entries whose previous entry is the committed one:
// a follower takes the commit over only where its own log holds that very
// entry, and with it all before. It is sent beside raft's own messages and its
// answer changes nothing here.
type notifier struct {
	replica *Replica
	kick    chan struct{}
	calls   sync.WaitGroup

	mu    sync.Mutex
	peers map[raft.ServerID]*noticed
}

// noticed is what one follower is being told. next is waiting while busy.
type noticed struct {
	busy    bool
	next    uint64
	resting time.Time
}

func newNotifier(r *Replica) *notifier {
	return &notifier{replica: r, kick: make(chan struct{}, 1), peers: map[raft.ServerID]*noticed{}}
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
	for _, server := range r.track.latest().Servers {
		if string(server.ID) != r.serverID {
			n.send(server, lead.term, index)
		}
	}
}

func (n *notifier) send(to raft.Server, term, index uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.peers[to.ID]
	if p == nil {
		p = new(noticed)
		n.peers[to.ID] = p
	}
	p.next = index
	if p.busy || time.Now().Before(p.resting) {
		return
	}
	p.busy = true
	n.calls.Go(func() { n.deliver(p, to, term) })
}

func (n *notifier) deliver(p *noticed, to raft.Server, term uint64) {
	sent := uint64(0)
	for {
		n.mu.Lock()
		if sent == p.next || n.replica.closing.Load() {
			p.busy = false
			n.mu.Unlock()
			return
		}
		sent = p.next
		n.mu.Unlock()
		if n.append(to, term, sent) {
			continue
		}
		n.mu.Lock()
		p.busy, p.resting = false, time.Now().Add(noticePause)
		n.mu.Unlock()
		return
	}
}

func (n *notifier) append(to raft.Server, term, index uint64) bool {
	r := n.replica
	self := r.transport.EncodePeer(raft.ServerID(r.serverID), r.transport.LocalAddr())
	request := raft.AppendEntriesRequest{
		RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(r.serverID), Addr: self},
		Term:      term, Leader: self,
		PrevLogEntry: index, PrevLogTerm: term, LeaderCommitIndex: index,
	}
	var response raft.AppendEntriesResponse
	err := r.transport.AppendEntries(to.ID, to.Address, &request, &response)
	return err == nil && response.Success
}
