package servertest

import (
	"context"
	"net"
	"sync"

	"github.com/candor-plane/candor"
)

// clientName is where the clients of a cluster are, as Cut names it.
const clientName = "client"

// network joins the servers and clients of a cluster by directed links.
type network struct {
	// underway are raft's messages: raft leaves some behind when it stops.
	underway sync.WaitGroup

	mu        sync.Mutex
	listeners map[string]*listener
	links     map[string]*link
	cuts      map[[2]string]bool
	down      map[string]bool
	// changed is closed, and replaced, when a link changes.
	changed chan struct{}
}

func newNetwork() *network {
	return &network{
		listeners: map[string]*listener{}, links: map[string]*link{}, cuts: map[[2]string]bool{}, down: map[string]bool{},
		changed: make(chan struct{}),
	}
}

// passes says whether what is sent arrives; otherwise changed tells when to
// look again.
func (n *network) passes(from, to string) (arrives bool, changed <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.cuts[[2]string{from, to}] && !n.down[from] && !n.down[to], n.changed
}

func (n *network) change(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
	close(n.changed)
	n.changed = make(chan struct{})
}

func (n *network) cut(from, to string) {
	n.change(func() { n.cuts[[2]string{from, to}] = true })
}

func (n *network) heal() { n.change(func() { clear(n.cuts) }) }

// lose takes a server off the network for good, and breaks its connections.
func (n *network) lose(name string) {
	n.change(func() { n.down[name] = true })
	n.mu.Lock()
	defer n.mu.Unlock()
	for at, l := range n.listeners {
		if at == name {
			_ = l.Close()
		}
		l.sever(name)
	}
}

func (n *network) listener(name string) *listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.listeners[name]
}

func (n *network) listen(name string) *listener {
	l := newListener(name)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.listeners[name] = l
	return l
}

// dial connects from one to another. A link that is cut keeps the caller
// waiting, as a lost SYN would.
func (n *network) dial(ctx context.Context, from, to string) (net.Conn, error) {
	for {
		there, changed := n.passes(from, to)
		back, _ := n.passes(to, from)
		l := n.listener(to)
		n.mu.Lock()
		down := n.down[from] || n.down[to]
		n.mu.Unlock()
		if l == nil || down {
			return nil, candor.Errorf(candor.ReasonUnavailable, "nothing listens at %s", to)
		}
		if there && back {
			return l.connect(ctx, n, from)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
