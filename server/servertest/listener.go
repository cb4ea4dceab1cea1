package servertest

import (
	"context"
	"net"
	"sync"
	"time"
)

// listener is where a server accepts connections, by its name.
type listener struct {
	name    string
	pending chan net.Conn
	closed  chan struct{}
	once    sync.Once

	mu    sync.Mutex
	conns map[*conn]struct{}
}

func newListener(name string) *listener {
	return &listener{name: name, pending: make(chan net.Conn), closed: make(chan struct{}), conns: map[*conn]struct{}{}}
}

// Accept waits for a connection.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.pending:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close accepts no more.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr is the address, a server's name and perhaps a suffix.
func (l *listener) Addr() net.Addr { return address(l.name) }

type address string

func (a address) Network() string { return "memory" }
func (a address) String() string  { return string(a) }

// connect makes a connection and hands its other end to Accept. The two ends
// set no timer of no duration: the race detector crashes where two of those run
// at once in a bubble.
func (l *listener) connect(ctx context.Context, n *network, from string) (net.Conn, error) {
	near, far := net.Pipe()
	here := &conn{Conn: near, network: n, from: from, to: serverAt(l.name), closed: make(chan struct{})}
	there := &conn{Conn: far, network: n, from: serverAt(l.name), to: from, closed: make(chan struct{})}
	var err error
	select {
	case l.pending <- there:
		l.keep(here)
		l.keep(there)
		return here, nil
	case <-l.closed:
		err = net.ErrClosed
	case <-ctx.Done():
		err = ctx.Err()
	}
	_, _ = here.Close(), there.Close()
	return nil, err
}

func (l *listener) keep(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[c] = struct{}{}
}

// sever breaks every connection of one server, as a process that dies does.
func (l *listener) sever(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		if c.from == name || c.to == name {
			_ = c.Close()
			delete(l.conns, c)
		}
	}
}

// conn is one end of a connection. While its link is cut, what is written
// waits: it arrives once the link is healed, as TCP would have it.
type conn struct {
	net.Conn
	network  *network
	from, to string
	closed   chan struct{}
	once     sync.Once
}

// SetWriteDeadline ends the connection at the deadline, unless it is zero: gRPC
// sets one only to say goodbye.
func (c *conn) SetWriteDeadline(t time.Time) error {
	if !t.IsZero() {
		time.AfterFunc(max(1, time.Until(t)), func() { _ = c.Close() })
	}
	return c.Conn.SetWriteDeadline(t)
}

// Write waits for the link.
func (c *conn) Write(p []byte) (int, error) {
	for {
		arrives, changed := c.network.passes(c.from, c.to)
		if arrives {
			c.network.travel(c.from, c.to)
			return c.Conn.Write(p)
		}
		select {
		case <-changed:
		case <-c.closed:
			return 0, net.ErrClosed
		}
	}
}

// Close ends the connection.
func (c *conn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
