package replica

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// asidePause is how long a follower that could not use a message gets no other.
const asidePause = time.Second

// aside carries appends that are sent beside raft's own, one at a time to each
// follower. They say nothing that raft does not say too, and their answers
// change nothing on this side: lost, late or refused, they cost time alone.
type aside struct {
	transport raft.Transport
	serverID  string
	calls     sync.WaitGroup

	mu     sync.Mutex
	peers  map[raft.ServerID]*beside
	closed bool
}

// beside is one follower's state. next is what to send when the message under
// way is answered; only the newest waits.
type beside struct {
	busy    bool
	next    *raft.AppendEntriesRequest
	resting time.Time
}

func newAside(transport raft.Transport, serverID string) *aside {
	return &aside{transport: transport, serverID: serverID, peers: map[raft.ServerID]*beside{}}
}

// request is an append of this server in the term, to be filled in.
func (a *aside) request(term uint64) *raft.AppendEntriesRequest {
	self := a.transport.EncodePeer(raft.ServerID(a.serverID), a.transport.LocalAddr())
	return &raft.AppendEntriesRequest{
		RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(a.serverID), Addr: self},
		Term:      term, Leader: self,
	}
}

// send delivers the request, unless the follower rests. While another is under
// way it waits for that, if wait is set, in place of one that waits already;
// otherwise it is dropped.
func (a *aside) send(to raft.Server, request *raft.AppendEntriesRequest, wait bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.peers[to.ID]
	if p == nil {
		p = new(beside)
		a.peers[to.ID] = p
	}
	switch {
	case a.closed || time.Now().Before(p.resting):
		return
	case p.busy:
		if wait {
			p.next = request
		}
		return
	}
	p.busy = true
	a.calls.Go(func() { a.deliver(p, to, request) })
}

func (a *aside) deliver(p *beside, to raft.Server, request *raft.AppendEntriesRequest) {
	for request != nil {
		var response raft.AppendEntriesResponse
		err := a.transport.AppendEntries(to.ID, to.Address, request, &response)
		a.mu.Lock()
		request, p.next = p.next, nil
		if err != nil || !response.Success {
			request, p.resting = nil, time.Now().Add(asidePause)
		}
		p.busy = request != nil
		a.mu.Unlock()
	}
}

// close lets nothing more begin and waits for what is under way, at most for a
// while: raft's streams should be closed by then.
func (a *aside) close(limit time.Duration) bool {
	a.mu.Lock()
	a.closed = true
	for _, p := range a.peers {
		p.next = nil
	}
	a.mu.Unlock()
	return waitAtMost(&a.calls, limit)
}
