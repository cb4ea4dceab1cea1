package replica

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

const (
	// noticeDelay is how long the leader waits for a next entry, which would tell
	// of a commit too. It hardly waits when the commit before was longer ago.
	noticeDelay = 2 * time.Millisecond
	noticeSoon  = 10 * time.Microsecond
	// noticePause is how long a follower that could not use a notice gets none.
	noticePause = time.Second
)

// notifier tells followers of a commit when no entry follows that would. raft
// itself does that CommitTimeout later, with messages that it also sends when
// there is nothing to tell.
//
// A notice is an append of no entries whose previous entry is the committed one:
// a follower takes the commit over only where its own log holds that very
// entry, and with it all before.
// It is sent beside raft's own messages, and its answer changes nothing here.
type notifier struct {
	replica *Replica
	timer   *time.Timer
	// armed is set from a commit until timer has run.
	armed atomic.Bool
	// last is when the last commit was; the apply goroutine's.
	last  time.Time
	calls sync.WaitGroup

	mu     sync.Mutex
	peers  map[raft.ServerID]*noticed
	closed bool
}

// noticed is what one follower is being told. The newest waits while one is
// under way.
type noticed struct {
	busy    bool
	next    *raft.AppendEntriesRequest
	resting time.Time
}

func newNotifier(r *Replica) *notifier {
	n := &notifier{replica: r, peers: map[raft.ServerID]*noticed{}}
	n.timer = time.AfterFunc(time.Hour, n.due)
	return n
}

// committed says that this server has applied more. It never blocks. One
// goroutine calls it.
func (n *notifier) committed() {
	if n.replica.leading.Load() == nil {
		return
	}
	now := time.Now()
	quiet := now.Sub(n.last) > noticeDelay
	n.last = now
	switch {
	case n.armed.Swap(true):
	case quiet:
		n.timer.Reset(noticeSoon)
	default:
		n.timer.Reset(noticeDelay)
	}
}

func (n *notifier) due() {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return
	}
	n.calls.Add(1)
	n.mu.Unlock()
	defer n.calls.Done()
	n.armed.Store(false)
	n.tell()
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
	request := &raft.AppendEntriesRequest{
		RPCHeader: header(r.transport, r.serverID), Term: lead.term,
		PrevLogEntry: index, PrevLogTerm: lead.term, LeaderCommitIndex: index,
	}
	for _, server := range r.track.latest().Servers {
		if string(server.ID) != r.serverID {
			n.send(server, request)
		}
	}
}

func (n *notifier) send(to raft.Server, request *raft.AppendEntriesRequest) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.peers[to.ID]
	if p == nil {
		p = new(noticed)
		n.peers[to.ID] = p
	}
	switch {
	case n.closed || time.Now().Before(p.resting):
	case p.busy:
		p.next = request
	default:
		p.busy = true
		n.calls.Go(func() { n.deliver(p, to, request) })
	}
}

func (n *notifier) deliver(p *noticed, to raft.Server, request *raft.AppendEntriesRequest) {
	for request != nil {
		var response raft.AppendEntriesResponse
		err := n.replica.transport.AppendEntries(to.ID, to.Address, request, &response)
		n.mu.Lock()
		request, p.next = p.next, nil
		if err != nil || !response.Success {
			request, p.resting = nil, time.Now().Add(noticePause)
		}
		p.busy = request != nil
		n.mu.Unlock()
	}
}

// stop tells nothing more and waits for what is under way, at most for a while:
// the transport's streams should be closed by then.
func (n *notifier) stop(limit time.Duration) bool {
	n.mu.Lock()
	n.closed = true
	n.timer.Stop()
	for _, p := range n.peers {
		p.next = nil
	}
	n.mu.Unlock()
	return waitAtMost(&n.calls, limit)
}
