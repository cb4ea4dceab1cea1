package network

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// proxy stands at a loopback address of its own for one address of one server,
// towards one other server. What a cut way should carry waits, ends of
// connections too, and so does a connection that begins while either way is
// cut, as with a network whose losses TCP makes good later.
type proxy struct {
	listener    net.Listener
	target      string
	there, back stream
	cancel      context.CancelFunc
	wait        sync.WaitGroup
	// accepted counts connections.
	accepted atomic.Int64
}

// newProxy begins to carry: what comes from those who connect goes there, what
// comes from the target goes back. The caller closes it.
func newProxy(target string, there, back stream) (*proxy, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &proxy{listener: listener, target: target, there: there, back: back, cancel: cancel}
	p.wait.Go(func() { p.run(ctx) })
	return p, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

// close ends every connection.
func (p *proxy) close() error {
	p.cancel()
	err := p.listener.Close()
	p.wait.Wait()
	return err
}

func (p *proxy) run(ctx context.Context) {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.accepted.Add(1)
		p.there.count(Counters{Connections: 1})
		near, ok := conn.(*net.TCPConn)
		if !ok {
			_ = conn.Close()
			continue
		}
		p.wait.Go(func() { p.carry(ctx, near) })
	}
}

func (p *proxy) carry(ctx context.Context, near *net.TCPConn) {
	defer near.Close()
	for _, s := range []stream{p.there, p.back} { // the request for a connection, and its answer
		if s.hold(ctx, time.Now(), 0) != nil {
			return
		}
	}
	dialled, err := new(net.Dialer).DialContext(ctx, "tcp4", p.target)
	if err != nil {
		_ = near.SetLinger(0) // nobody is there: the other side is reset
		return
	}
	defer dialled.Close()
	far, ok := dialled.(*net.TCPConn)
	if !ok {
		return
	}
	stop := context.AfterFunc(ctx, func() {
		_ = near.Close()
		_ = far.Close()
	})
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { p.there.carry(ctx, far, near) })
	both.Go(func() { p.back.carry(ctx, near, far) })
	both.Wait()
}
