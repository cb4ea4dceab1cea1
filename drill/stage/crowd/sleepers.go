package crowd

import (
	"context"
	"net"
	"sync"
	"sync/atomic"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill"
)

// sleepyKinds are watched by turns: those that a drill's traffic changes.
var sleepyKinds = []candor.KindName{"entries.drill", candor.KindNamespaces, candor.KindTenures}

// Sleep opens so many watches, each on a connection of its own, that are never read
// once they have begun.
func (c *Crowd) Sleep(ctx context.Context, count int, addresses []string) (func() drill.Bite, Ending, error) {
	if len(addresses) == 0 {
		return nil, nil, candor.Errorf(candor.ReasonInvalid, "nobody to watch")
	}
	var open []*sleepyWatch
	end := func(context.Context) error {
		for _, w := range open {
			w.close()
		}
		return nil
	}
	for i := range count {
		w, err := c.sleepy(ctx, addresses[i%len(addresses)], i)
		if err != nil {
			_ = end(ctx)
			return nil, nil, err
		}
		open = append(open, w)
	}
	return func() drill.Bite { return drill.Bite{Seen: len(open), What: "watches that are not read"} }, end, nil
}

// sleepyWatch is a watch whose connection is not read any more.
type sleepyWatch struct {
	client *client.Client
	watch  *client.Watch
	stop   context.CancelFunc
	asleep *atomic.Bool
}

func (c *Crowd) sleepy(ctx context.Context, address string, turn int) (*sleepyWatch, error) {
	w := &sleepyWatch{asleep: new(atomic.Bool)}
	k, err := client.New(client.Config{Endpoints: []string{address}, Actor: "drill-sleeper", Dialer: func(ctx context.Context, to string) (net.Conn, error) {
		conn, err := c.Dial(ctx, to)
		if err != nil {
			return nil, err
		}
		return &sleepyConn{Conn: conn, asleep: w.asleep, closed: make(chan struct{})}, nil
	}})
	if err != nil {
		return nil, err
	}
	w.client = k
	lasts, stop := context.WithCancel(c.Context)
	w.stop = stop
	for i := range sleepyKinds {
		kind := sleepyKinds[(turn+i)%len(sleepyKinds)]
		w.watch, err = k.Watch(lasts, client.WatchOptions{Kind: kind, Read: []client.ReadOption{
			client.WithFreshness(candor.FreshnessBestEffort), client.OnEndpoint(address), client.WithoutSession(),
		}})
		if candor.ReasonOf(err) != candor.ReasonUnknownKind {
			break
		}
	}
	if err != nil || ctx.Err() != nil {
		w.close()
		return nil, err
	}
	w.asleep.Store(true)
	return w, nil
}

func (w *sleepyWatch) close() {
	w.stop()
	_ = w.client.Close()
	if w.watch != nil {
		_ = w.watch.Close()
	}
}

// sleepyConn is a connection that reads nothing more once it sleeps.
type sleepyConn struct {
	net.Conn
	asleep *atomic.Bool
	once   sync.Once
	closed chan struct{}
}

// Read waits for the connection's end while it sleeps.
func (c *sleepyConn) Read(b []byte) (int, error) {
	if c.asleep.Load() {
		<-c.closed
		return 0, net.ErrClosed
	}
	return c.Conn.Read(b)
}

// Close ends it.
func (c *sleepyConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
