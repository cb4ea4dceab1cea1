package replica

import (
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// mostEarly bounds in entries what may wait to be sent early to one follower.
const mostEarly = 256

// early is raft's transport, and sends a leader's new entries to its followers
// while the leader's own disk writes them. raft sends them only afterwards: a
// commit would be two disks in a row.
//
// Raft allows that, as long as a leader does not count itself before it has
// written an entry, and here raft alone counts (Ongaro, Consensus: Bridging
// Theory and Practice, 10.2.1). When raft then sends the entries, the answer to
// the early message is its answer: the follower has said that it stored these
// entries in this term, and an answer that raft gets later is one that was slow
// on its way. Whatever is not so, raft sends itself.
//
// An early message tells of a commit up to its previous entry at most: a
// follower takes over nothing that the message has not made sure of.
type early struct {
	raft.Transport
	serverID string
	// commit is raft's commit index.
	commit func() uint64
	// mayStand says whether votes may be asked for.
	mayStand func() bool
	patience *patience
	ghost    ghost
	calls    sync.WaitGroup

	mu     sync.Mutex
	peers  map[raft.ServerID]*earlyPeer
	closed bool
}

// earlyPeer is what one follower was sent in a term.
type earlyPeer struct {
	term uint64
	// sent: the follower has, or is being sent, every entry up to it; 0 when
	// raft has to find out. stored: it has said so.
	sent, stored uint64
	busy         bool
	next         *raft.AppendEntriesRequest
	// changed is closed, and replaced, when a message is answered.
	changed chan struct{}
}

var (
	_ raft.Transport   = (*early)(nil)
	_ raft.WithPreVote = (*early)(nil)
	_ raft.WithClose   = (*early)(nil)
)

func newEarly(transport raft.Transport, serverID string, commit func() uint64, mayStand func() bool, patience *patience) *early {
	return &early{Transport: transport, serverID: serverID, commit: commit, mayStand: mayStand, patience: patience, peers: map[raft.ServerID]*earlyPeer{}}
}

// SetHeartbeatHandler hands heartbeats to raft beside its main loop.
func (e *early) SetHeartbeatHandler(take func(raft.RPC)) {
	e.ghost.take.Store(&take)
	e.Transport.SetHeartbeatHandler(take)
}

func (e *early) peer(id raft.ServerID) *earlyPeer {
	p := e.peers[id]
	if p == nil {
		p = &earlyPeer{changed: make(chan struct{})}
		e.peers[id] = p
	}
	return p
}

// offer gets entries that are about to be written, and the one before them.
func (e *early) offer(servers []raft.Server, before *raft.Log, logs []*raft.Log) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, server := range servers {
		p := e.peers[server.ID]
		if p == nil || e.closed || p.term != logs[0].Term || p.sent != before.Index || before.Index+1 != logs[0].Index {
			continue
		}
		request := &raft.AppendEntriesRequest{
			RPCHeader: header(e, e.serverID), Term: p.term,
			PrevLogEntry: before.Index, PrevLogTerm: before.Term, Entries: logs,
		}
		switch {
		case !p.busy:
			p.busy = true
			e.calls.Go(func() { e.deliver(p, server, request) })
		case p.next == nil:
			p.next = request
		case len(p.next.Entries)+len(logs) > mostEarly:
			continue
		default:
			p.next.Entries = slices.Concat(p.next.Entries, logs)
		}
		p.sent = logs[len(logs)-1].Index
	}
}

func (e *early) deliver(p *earlyPeer, to raft.Server, request *raft.AppendEntriesRequest) {
	for request != nil {
		request.LeaderCommitIndex = min(e.commit(), request.PrevLogEntry)
		var response raft.AppendEntriesResponse
		err := e.Transport.AppendEntries(to.ID, to.Address, request, &response)
		e.mu.Lock()
		if err == nil && response.Success && p.term == request.Term {
			p.stored = max(p.stored, request.Entries[len(request.Entries)-1].Index)
			request, p.next = p.next, nil
		} else {
			p.sent, request, p.next = 0, nil, nil
		}
		p.busy = request != nil
		close(p.changed)
		p.changed = make(chan struct{})
		e.mu.Unlock()
	}
}

// AppendEntries answers raft from the early message that carried its entries,
// or asks the follower.
func (e *early) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if len(args.Entries) == 0 {
		err := e.Transport.AppendEntries(id, target, args, resp)
		if args.PrevLogEntry == 0 {
			e.patience.heartbeat(id, err)
		} else if err != nil {
			e.patience.wait(id, args.Term)
		}
		return err
	}
	last := args.Entries[len(args.Entries)-1].Index
	if e.stored(id, args.Term, last) {
		*resp = raft.AppendEntriesResponse{RPCHeader: args.RPCHeader, Term: args.Term, LastLog: last, Success: true}
		return nil
	}
	err := e.Transport.AppendEntries(id, target, args, resp)
	if err != nil {
		e.patience.wait(id, args.Term)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.peer(id)
	switch {
	case err != nil || !resp.Success:
		p.sent = 0
	case p.term != args.Term:
		p.term, p.sent, p.stored = args.Term, last, last
	default:
		p.sent, p.stored = max(p.sent, last), max(p.stored, last)
	}
	return err
}

// InstallSnapshot is the transport's own.
func (e *early) InstallSnapshot(id raft.ServerID, target raft.ServerAddress, args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	err := e.Transport.InstallSnapshot(id, target, args, resp, data)
	if err != nil {
		e.patience.wait(id, args.Term)
	}
	return err
}

// stored waits for early messages that are under way, as far as they matter.
func (e *early) stored(id raft.ServerID, term, index uint64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.peer(id)
	for p.term == term && p.stored < index && p.busy {
		changed := p.changed
		e.mu.Unlock()
		<-changed
		e.mu.Lock()
	}
	return p.term == term && p.stored >= index
}

var errAside = errors.New("this server does not trust its state and lets the others stand first")

// RequestPreVote is the transport's own, for a server that may stand.
func (e *early) RequestPreVote(id raft.ServerID, target raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	with, ok := e.Transport.(raft.WithPreVote)
	if !ok {
		return errors.ErrUnsupported
	}
	if !e.mayStand() {
		return errAside
	}
	return with.RequestPreVote(id, target, args, resp)
}

// Close closes the transport.
func (e *early) Close() error {
	if with, ok := e.Transport.(raft.WithClose); ok {
		return with.Close()
	}
	return nil
}

// stop sends nothing early any more and waits for what is under way, at most
// for a while: the transport's streams should be closed by then.
func (e *early) stop(limit time.Duration) bool {
	e.patience.stop()
	e.mu.Lock()
	e.closed = true
	for _, p := range e.peers {
		p.next = nil
	}
	e.mu.Unlock()
	return waitAtMost(&e.calls, limit)
}

// header begins every message that a server sends.
func header(transport raft.Transport, serverID string) raft.RPCHeader {
	return raft.RPCHeader{
		ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(serverID),
		Addr: transport.EncodePeer(raft.ServerID(serverID), transport.LocalAddr()),
	}
}
