// Package gossiptest carries gossip between nodes of one process without
// sockets, so that clusters run under testing/synctest and links can be cut.
//
// It guarantees that a packet is delivered whole, in order per link, or lost,
// and that nothing passes a cut link. It refuses to interpret what it carries.
// Tests and servertest call it.
package gossiptest

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// packetBuffer is how many packets may wait at a host; more are lost, as they
// are in a full socket buffer.
const packetBuffer = 1024

// Network connects transports. Its methods may be called concurrently.
type Network struct {
	mu    sync.Mutex
	hosts map[string]*Transport
	cuts  map[link]int
	port  uint16
}

// link is one direction between two addresses.
type link struct{ from, to string }

// NewNetwork returns a network without hosts.
func NewNetwork() *Network {
	return &Network{hosts: make(map[string]*Transport), cuts: make(map[link]int)}
}

// Listen returns a transport at the next free address of the network.
func (n *Network) Listen() *Transport {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.port++
	return n.attach(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), n.port))
}

// ListenAt returns a transport at an address whose last owner has shut down.
func (n *Network) ListenAt(addr string) (*Transport, error) {
	parsed, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, taken := n.hosts[addr]; taken {
		return nil, fmt.Errorf("%s is in use", addr)
	}
	return n.attach(parsed), nil
}

// Cut stops everything from one address to another, in this direction only,
// until the returned function is called. Streams that are open stay open.
func (n *Network) Cut(from, to string) (heal func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cuts[link{from, to}]++
	return sync.OnceFunc(func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.cuts[link{from, to}]--
	})
}

// Split cuts both directions between two addresses.
func (n *Network) Split(a, b string) (heal func()) {
	there, back := n.Cut(a, b), n.Cut(b, a)
	return func() { there(); back() }
}

func (n *Network) attach(addr netip.AddrPort) *Transport {
	t := &Transport{
		network: n,
		addr:    addr.String(),
		ip:      addr,
		packets: make(chan *memberlist.Packet, packetBuffer),
		streams: make(chan net.Conn),
		closed:  make(chan struct{}),
	}
	n.hosts[t.addr] = t
	return t
}

// route returns the host at an address, if the link to it is whole.
func (n *Network) route(from, to string) (host *Transport, whole bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.hosts[to], n.cuts[link{from, to}] == 0
}

func (n *Network) detach(t *Transport) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hosts[t.addr] == t {
		delete(n.hosts, t.addr)
	}
}

// Transport is one host of a Network.
type Transport struct {
	network *Network
	addr    string
	ip      netip.AddrPort
	packets chan *memberlist.Packet
	streams chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

var _ memberlist.Transport = (*Transport)(nil)

// Addr is the host's address, host:port.
func (t *Transport) Addr() string { return t.addr }

// FinalAdvertiseAddr returns the host's address, whatever was configured.
func (t *Transport) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return t.ip.Addr().AsSlice(), int(t.ip.Port()), nil
}

// WriteTo delivers a packet or loses it; like UDP it does not say which.
func (t *Transport) WriteTo(b []byte, to string) (time.Time, error) {
	now := time.Now()
	host, whole := t.network.route(t.addr, to)
	if host == nil || !whole {
		return now, nil
	}
	p := &memberlist.Packet{Buf: append([]byte(nil), b...), From: net.UDPAddrFromAddrPort(t.ip), Timestamp: now}
	select {
	case <-t.closed:
		return now, net.ErrClosed
	default:
	}
	select {
	case host.packets <- p:
	default:
	}
	return now, nil
}

// PacketCh carries what arrives.
func (t *Transport) PacketCh() <-chan *memberlist.Packet { return t.packets }

// DialTimeout opens a stream. Without a host it is refused at once; over a link
// that is cut in either direction it times out.
func (t *Transport) DialTimeout(to string, timeout time.Duration) (net.Conn, error) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	host, there := t.network.route(t.addr, to)
	_, back := t.network.route(to, t.addr)
	if !there || !back {
		<-timer.C
		return nil, fmt.Errorf("dial %s from %s: timed out", to, t.addr)
	}
	if host == nil {
		return nil, fmt.Errorf("dial %s from %s: refused", to, t.addr)
	}
	near, far := net.Pipe()
	select {
	case host.streams <- far:
		return near, nil
	case <-host.closed:
	case <-t.closed:
	case <-timer.C:
	}
	_, _ = near.Close(), far.Close()
	return nil, fmt.Errorf("dial %s from %s: not accepted", to, t.addr)
}

// StreamCh carries accepted streams.
func (t *Transport) StreamCh() <-chan net.Conn { return t.streams }

// Shutdown takes the host off the network; it may be called more than once.
func (t *Transport) Shutdown() error {
	t.once.Do(func() {
		t.network.detach(t)
		close(t.closed)
	})
	return nil
}
