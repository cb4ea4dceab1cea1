package integration

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// way is one direction between two servers, that of all their connections. It
// is open or cut.
type way struct {
	mu sync.Mutex
	// opened is closed while the way is open.
	opened chan struct{}
	isOpen bool
}

func newWay() *way {
	w := &way{opened: make(chan struct{}), isOpen: true}
	close(w.opened)
	return w
}

func (w *way) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.isOpen {
		w.isOpen, w.opened = false, make(chan struct{})
	}
}

func (w *way) heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.isOpen {
		w.isOpen = true
		close(w.opened)
	}
}

// pass returns once the way is open.
func (w *way) pass(ctx context.Context) error {
	w.mu.Lock()
	opened := w.opened
	w.mu.Unlock()
	select {
	case <-opened:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// linkProxy stands at a loopback address of its own for one address of one
// server, towards one other server. What a cut way should carry waits, ends of
// connections too, and so does a connection that begins while either way is
// cut, as with a network whose losses TCP makes good later.
type linkProxy struct {
	listener    net.Listener
	target      string
	there, back *way
	ctx         context.Context
	cancel      context.CancelFunc
	wait        sync.WaitGroup
	// accepted counts connections.
	accepted atomic.Int64
}

// newLinkProxy begins to carry: what comes from those who connect goes there,
// what comes from the target goes back. The caller closes it.
func newLinkProxy(t *testing.T, target string, there, back *way) *linkProxy {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &linkProxy{listener: listener, target: target, there: there, back: back}
	p.ctx, p.cancel = context.WithCancel(context.WithoutCancel(t.Context()))
	p.wait.Go(p.run)
	return p
}

func (p *linkProxy) address() string { return p.listener.Addr().String() }

// close ends every connection.
func (p *linkProxy) close() {
	p.cancel()
	_ = p.listener.Close()
	p.wait.Wait()
}

func (p *linkProxy) run() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.accepted.Add(1)
		p.wait.Go(func() { p.carry(conn.(*net.TCPConn)) })
	}
}

func (p *linkProxy) carry(conn *net.TCPConn) {
	defer conn.Close()
	for _, w := range []*way{p.there, p.back} {
		if w.pass(p.ctx) != nil {
			return
		}
	}
	dialled, err := new(net.Dialer).DialContext(p.ctx, "tcp4", p.target)
	if err != nil {
		_ = conn.SetLinger(0) // nobody is there: the other side is reset
		return
	}
	target := dialled.(*net.TCPConn)
	defer target.Close()
	stop := context.AfterFunc(p.ctx, func() {
		_ = conn.Close()
		_ = target.Close()
	})
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { p.pump(target, conn, p.there) })
	both.Go(func() { p.pump(conn, target, p.back) })
	both.Wait()
}

// pump carries one direction of a connection to its end. It takes no more from
// the source than it can hand on, so that a sender fills its own buffers.
func (p *linkProxy) pump(to, from *net.TCPConn, w *way) {
	buffer := make([]byte, 16<<10)
	for {
		n, err := from.Read(buffer)
		if w.pass(p.ctx) != nil {
			return
		}
		if n > 0 {
			if _, failed := to.Write(buffer[:n]); failed != nil {
				// Whoever sends learns that nobody takes it.
				_ = from.CloseRead()
				_ = from.SetLinger(0)
				return
			}
		}
		if errors.Is(err, io.EOF) {
			_ = to.CloseWrite()
			return
		}
		if err != nil {
			_ = to.SetLinger(0)
			_ = to.Close()
			return
		}
	}
}
