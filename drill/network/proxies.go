package network

import (
	"context"
	endian "encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/doctor"
)

// proxies is a network on loopback for a process without rights: one proxy for
// each address of each server, towards each other server. A server is told the
// others' own addresses; its connects are led to the proxy (Placement.Lead).
type proxies struct {
	ways *ways

	mu sync.Mutex
	// owners are by address.
	owners map[string]string
	// standing are by who connects and to which address.
	standing map[[2]string]*proxy
	began    map[string]bool
	// failed is the first proxy that could not be made: a connect then went past the
	// faults.
	failed error
	// probes are a connection's two ends, by whose they are and towards whom.
	probes map[Direction]net.Conn
	wait   sync.WaitGroup
}

func newProxies(ctx context.Context, w *ways) (carrier, error) {
	if p := doctor.SystemCalls(ctx); !p.Able {
		return nil, candor.Errorf(candor.ReasonUnimplemented, "network of proxies: servers' connections cannot be led: %s", p.Why)
	}
	return &proxies{
		ways: w, owners: map[string]string{}, standing: map[[2]string]*proxy{},
		began: map[string]bool{}, probes: map[Direction]net.Conn{},
	}, nil
}

func (n *proxies) place(name, api, raft string) (*Placement, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, address := range []string{api, raft} {
		if owner := n.owners[address]; owner != "" {
			return nil, candor.Errorf(candor.ReasonInvalid, "place %q: %s has the address %s: want one that is free", name, owner, address)
		}
	}
	n.owners[api], n.owners[raft] = name, name
	for _, other := range n.ways.servers() {
		if other == name {
			continue
		}
		if err := n.connectProbe(other, name); err != nil {
			return nil, err
		}
	}
	return &Placement{
		Name: name, API: api, Raft: raft, Loopback: true,
		Lead:   func(thread uint32, sockaddr uint64) { n.lead(name, thread, sockaddr) },
		within: func(do func() error) error { return do() },
		began: func() {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.began[name] = true
		},
	}, nil
}

func (n *proxies) dial(ctx context.Context, from, address string) (net.Conn, error) {
	proxy, err := n.between(from, address)
	if err != nil {
		return nil, err
	}
	if proxy != nil {
		address = proxy.address()
	}
	return new(net.Dialer).DialContext(ctx, "tcp4", address)
}

func (n *proxies) divert(Direction, bool) error { return nil }

// send uses a connection that stands between the two, and wants a server that was
// started to have been led to a proxy.
func (n *proxies) send(d Direction, number uint64) error {
	n.mu.Lock()
	probe, failed, led := n.probes[d], n.failed, !n.began[d.From] || n.leads(d.From)
	n.mu.Unlock()
	if failed != nil {
		return failed
	}
	if !led {
		return candor.Errorf(candor.ReasonUnavailable, "link %s: no connection of %s goes by way of a proxy", d, d.From)
	}
	if err := probe.SetWriteDeadline(time.Now().Add(repeats)); err != nil {
		return err
	}
	_, err := probe.Write(endian.BigEndian.AppendUint64(nil, number))
	return err
}

func (n *proxies) close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var failed error
	for _, end := range n.probes {
		failed = errors.Join(failed, end.Close())
	}
	for _, p := range n.standing {
		failed = errors.Join(failed, p.close())
	}
	n.wait.Wait()
	return failed
}

// between is the proxy that stands between a server and an address of another;
// nil where there is nothing to stand between.
func (n *proxies) between(from, address string) (*proxy, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	to := n.owners[address]
	if to == "" || to == from || from == "" {
		return nil, nil
	}
	key := [2]string{from, address}
	if n.standing[key] == nil {
		p, err := n.newProxy(Direction{from, to}, address, false)
		if err != nil {
			n.failed = errors.Join(n.failed, err)
			return nil, err
		}
		n.standing[key] = p
	}
	return n.standing[key], nil
}

func (n *proxies) newProxy(d Direction, address string, uncounted bool) (*proxy, error) {
	there, err := n.ways.way(d)
	if err != nil {
		return nil, err
	}
	back, err := n.ways.way(d.Back())
	if err != nil {
		return nil, err
	}
	return newProxy(address, stream{way: there, uncounted: uncounted}, stream{way: back, uncounted: uncounted})
}

// leads says whether a connection that a server began goes by way of a proxy.
func (n *proxies) leads(from string) bool {
	for key, proxy := range n.standing {
		if key[0] == from && n.owners[key[1]] != "" && proxy.accepted.Load() > 0 {
			return true
		}
	}
	return false
}

// connectProbe makes the connection that send uses, both ways.
func (n *proxies) connectProbe(a, b string) error {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer listener.Close()
	d := Direction{a, b}
	proxy, err := n.newProxy(d, listener.Addr().String(), true)
	if err != nil {
		return err
	}
	n.standing[[2]string{a, listener.Addr().String()}] = proxy
	near, err := net.Dial("tcp4", proxy.address())
	if err != nil {
		return err
	}
	far, err := listener.Accept()
	if err != nil {
		return errors.Join(err, near.Close())
	}
	n.probes[d], n.probes[d.Back()] = near, far
	n.receive(near, d.Back())
	n.receive(far, d)
	return nil
}

// receive tells the way of each number that arrives, until the end is closed.
func (n *proxies) receive(end net.Conn, d Direction) {
	n.wait.Go(func() {
		number := make([]byte, 8)
		for {
			if _, err := io.ReadFull(end, number); err != nil {
				return
			}
			if w, err := n.ways.way(d); err == nil {
				w.arrived(endian.BigEndian.Uint64(number))
			}
		}
	})
}
