package servertest

import (
	"context"
	"net"
	"sync"
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
	here, there := newConn(near, n, from, serverAt(l.name)), newConn(far, n, serverAt(l.name), from)
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
	here.sever()
	there.sever()
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
			c.sever()
			delete(l.conns, c)
		}
	}
}
