package replica

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// network joins the servers of a test. Each directed link can be cut: what is
// sent on it is lost, so that a question may arrive and its answer not.
type network struct {
	timeout time.Duration

	mu    sync.Mutex
	nodes map[raft.ServerAddress]*node
	cuts  map[[2]raft.ServerAddress]bool
	// confirms counts the questions asked of each server.
	confirms map[raft.ServerAddress]int
	// beats counts the heartbeats to each server.
	beats map[raft.ServerAddress]int
	// slow delays the confirmations of a server.
	slow map[raft.ServerAddress]time.Duration
}

func newNetwork() *network {
	return &network{
		timeout: 200 * time.Millisecond, nodes: map[raft.ServerAddress]*node{}, cuts: map[[2]raft.ServerAddress]bool{},
		confirms: map[raft.ServerAddress]int{}, beats: map[raft.ServerAddress]int{}, slow: map[raft.ServerAddress]time.Duration{},
	}
}

func (n *network) cut(from, to raft.ServerAddress) { n.set(from, to, true) }

func (n *network) set(from, to raft.ServerAddress, cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cuts[[2]raft.ServerAddress{from, to}] = cut
}

// isolate cuts every link from and to a server.
func (n *network) isolate(address raft.ServerAddress) {
	for _, other := range n.addresses() {
		n.set(address, other, true)
		n.set(other, address, true)
	}
}

func (n *network) heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.cuts)
}

func (n *network) addresses() []raft.ServerAddress {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []raft.ServerAddress
	for a := range n.nodes {
		out = append(out, a)
	}
	return out
}

func (n *network) beat(to raft.ServerAddress) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.beats[to]++
}

// beaten is how many heartbeats each server got since the last time.
func (n *network) beaten() map[raft.ServerAddress]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	beats := n.beats
	n.beats = map[raft.ServerAddress]int{}
	return beats
}

func (n *network) passes(from, to raft.ServerAddress) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.cuts[[2]raft.ServerAddress{from, to}]
}

func (n *network) node(address raft.ServerAddress) *node {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.nodes[address]
}

var errLost = errors.New("lost on the way")

// link is one server's transport.
type link struct {
	*raft.InmemTransport
	net *network
}

// carry sends a question and brings its answer back, each over its own link.
func (l *link) carry(to raft.ServerAddress, call func() error) error {
	if !l.net.passes(l.LocalAddr(), to) {
		time.Sleep(l.net.timeout)
		return errLost
	}
	if err := call(); err != nil {
		return err
	}
	if !l.net.passes(to, l.LocalAddr()) {
		time.Sleep(l.net.timeout)
		return errLost
	}
	return nil
}

func (l *link) AppendEntriesPipeline(raft.ServerID, raft.ServerAddress) (raft.AppendPipeline, error) {
	return nil, raft.ErrPipelineReplicationNotSupported
}

func (l *link) AppendEntries(id raft.ServerID, to raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if len(args.Entries) == 0 && args.PrevLogEntry == 0 {
		l.net.beat(to)
	}
	return l.carry(to, func() error { return l.InmemTransport.AppendEntries(id, to, args, resp) })
}

func (l *link) RequestVote(id raft.ServerID, to raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	return l.carry(to, func() error { return l.InmemTransport.RequestVote(id, to, args, resp) })
}

func (l *link) RequestPreVote(id raft.ServerID, to raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	return l.carry(to, func() error { return l.InmemTransport.RequestPreVote(id, to, args, resp) })
}

func (l *link) InstallSnapshot(id raft.ServerID, to raft.ServerAddress, args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	return l.carry(to, func() error { return l.InmemTransport.InstallSnapshot(id, to, args, resp, data) })
}

func (l *link) TimeoutNow(id raft.ServerID, to raft.ServerAddress, args *raft.TimeoutNowRequest, resp *raft.TimeoutNowResponse) error {
	return l.carry(to, func() error { return l.InmemTransport.TimeoutNow(id, to, args, resp) })
}

// testPeers asks other replicas directly, over the same links.
type testPeers struct {
	net  *network
	self raft.ServerAddress
	// lie changes the answers to confirmations; forget loses those to forwards.
	lie    atomic.Pointer[func(*ConfirmAnswer)]
	forget atomic.Bool
	// hold gets each answer to a confirmation before it is delivered.
	hold atomic.Pointer[func(to raft.ServerAddress, nonce uint64)]
	// linger is called with each question for a proof and each answer to one,
	// before it is delivered.
	linger atomic.Pointer[func()]
}

func (p *testPeers) carry(ctx context.Context, to raft.ServerAddress, call func(*Replica) error) error {
	n := p.net.node(to)
	if n == nil || n.replica() == nil || !p.net.passes(p.self, to) {
		<-ctx.Done()
		return errLost
	}
	if err := call(n.replica()); err != nil {
		return err
	}
	if !p.net.passes(to, p.self) {
		<-ctx.Done()
		return errLost
	}
	return nil
}

func (p *testPeers) Confirm(ctx context.Context, server raft.Server, q ConfirmQuestion) (answer ConfirmAnswer, err error) {
	p.net.mu.Lock()
	p.net.confirms[server.Address]++
	slow := p.net.slow[server.Address]
	p.net.mu.Unlock()
	err = p.carry(ctx, server.Address, func(r *Replica) error {
		if err := pauseFor(ctx, slow); err != nil {
			return err
		}
		answer = r.ServeConfirm(q)
		return nil
	})
	if lie := p.lie.Load(); lie != nil {
		(*lie)(&answer)
	}
	if hold := p.hold.Load(); hold != nil {
		(*hold)(server.Address, q.Nonce)
	}
	return answer, err
}

func (p *testPeers) Prove(ctx context.Context, leader raft.Server, term uint64) (answer ProveAnswer, err error) {
	linger := func() {}
	if set := p.linger.Load(); set != nil {
		linger = *set
	}
	err = p.carry(ctx, leader.Address, func(r *Replica) error {
		linger()
		answer, _ = r.ServeProve(ctx, p.net.node(p.self).id, term)
		linger()
		return nil
	})
	return answer, err
}

func (p *testPeers) Forward(ctx context.Context, leader raft.Server, term uint64, command []byte, expected uint64) (answer ForwardAnswer, err error) {
	err = p.carry(ctx, leader.Address, func(r *Replica) error {
		answer, err = r.ServeForward(ctx, command, term, expected)
		return err
	})
	if err == nil && p.forget.Load() {
		return ForwardAnswer{}, errLost
	}
	return answer, err
}

// pauseFor waits, and not at all for nothing: a timer that is due at once can
// crash the runtime where a bubble and the race detector meet (go1.26).
func pauseFor(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
