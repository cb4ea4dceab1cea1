package servertest

import (
	"context"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/candor-plane/candor"
)

// raftSuffix tells a server's Raft address from its API address, which is its
// name.
const raftSuffix = "/raft"

// serverAt is the server that an address belongs to.
func serverAt(address string) string { return strings.TrimSuffix(address, raftSuffix) }

// clientName is where the clients of a cluster are, as Cut names it.
const clientName = "client"

// network joins the servers and clients of a cluster by directed links.
type network struct {
	// underway are raft's messages, for raft leaves some behind when it stops, and
	// what connections carry.
	underway sync.WaitGroup

	mu        sync.Mutex
	listeners map[string]*listener
	links     map[string]*link
	// cuts counts the faults that keep a way shut.
	cuts    map[[2]string]int
	delays  map[[2]string]time.Duration
	starved map[string]bool
	down    map[string]bool
	// met counts, by way, what was lost or came late.
	met map[[2]string]int
	// changed is closed, and replaced, when a link changes.
	changed chan struct{}
}

func newNetwork() *network {
	return &network{
		listeners: map[string]*listener{}, links: map[string]*link{}, cuts: map[[2]string]int{}, down: map[string]bool{},
		delays: map[[2]string]time.Duration{}, starved: map[string]bool{}, met: map[[2]string]int{},
		changed: make(chan struct{}),
	}
}

// passes says whether what is sent arrives; otherwise changed tells when to
// look again.
func (n *network) passes(from, to string) (arrives bool, changed <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cuts[[2]string{from, to}] == 0 && !n.down[from] && !n.down[to], n.changed
}

func (n *network) change(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
	close(n.changed)
	n.changed = make(chan struct{})
}

func (n *network) cut(from, to string) {
	n.change(func() { n.cuts[[2]string{from, to}]++ })
}

// mend ends one cut of a way; it is open when all are mended.
func (n *network) mend(from, to string) {
	n.change(func() { n.cuts[[2]string{from, to}] = max(0, n.cuts[[2]string{from, to}]-1) })
}

func (n *network) slow(from, to string, by time.Duration) {
	n.change(func() { n.delays[[2]string{from, to}] = by })
}

func (n *network) starve(name string) { n.change(func() { n.starved[name] = true }) }

func (n *network) feed(name string) { n.change(func() { delete(n.starved, name) }) }

func (n *network) heal() {
	n.change(func() {
		clear(n.cuts)
		clear(n.delays)
		clear(n.starved)
	})
}

// delay is how long a message takes; isStarved says that entries do not come.
func (n *network) delay(from, to string) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.delays[[2]string{from, to}]
}

func (n *network) isStarved(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.starved[name]
}

// travel takes the time that a message takes.
func (n *network) travel(from, to string) {
	if by := n.delay(from, to); by > 0 {
		n.meets(from, to)
		time.Sleep(by)
	}
}

// meets counts what was lost or late on a way.
func (n *network) meets(from, to string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.met[[2]string{from, to}]++
}

// metOn is how much was lost or late on these ways.
func (n *network) metOn(ways [][2]string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	sum := 0
	for _, way := range ways {
		sum += n.met[way]
	}
	return sum
}

// revive lets a server that was lost listen again.
func (n *network) revive(name string) { n.change(func() { delete(n.down, name) }) }

// lose takes a server off the network, and breaks its connections.
func (n *network) lose(name string) {
	n.change(func() { n.down[name] = true })
	n.mu.Lock()
	defer n.mu.Unlock()
	for at, l := range n.listeners {
		if serverAt(at) == name {
			_ = l.Close()
		}
		l.sever(name)
	}
}

func (n *network) listener(address string) *listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.listeners[address]
}

func (n *network) listen(address string) *listener {
	l := newListener(address)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.listeners[address] = l
	return l
}

// dial connects from a server or client to an address. A link that is cut keeps
// the caller waiting, as a lost SYN would.
func (n *network) dial(ctx context.Context, from, address string) (net.Conn, error) {
	to := serverAt(address)
	for {
		there, changed := n.passes(from, to)
		back, _ := n.passes(to, from)
		l := n.listener(address)
		n.mu.Lock()
		down := n.down[from] || n.down[to]
		n.mu.Unlock()
		if l == nil || down {
			return nil, candor.Errorf(candor.ReasonUnavailable, "nothing listens at %s", address)
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
