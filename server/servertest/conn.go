package servertest

import (
	"net"
	"sync"
	"time"
)

// lingers is how long what was written before a Close may take to be read.
const lingers = time.Second

// conn is one end of a connection. What is written waits in it, as in a socket,
// and travels by itself; while its link is cut it stays, and arrives once the
// link is healed, as TCP would have it. Writers never wait, so none holds a lock
// meanwhile: virtual time stands still for those who wait for one.
type conn struct {
	net.Conn
	network  *network
	from, to string
	closed   chan struct{}
	once     sync.Once

	mu    sync.Mutex
	queue []packet
	more  chan struct{}
}

// packet is one Write, and when it is there.
type packet struct {
	due  time.Time
	data []byte
}

// newConn carries what is written until the connection is closed or severed.
func newConn(c net.Conn, n *network, from, to string) *conn {
	out := &conn{Conn: c, network: n, from: from, to: to, closed: make(chan struct{}), more: make(chan struct{}, 1)}
	n.underway.Go(out.carry)
	return out
}

// Write takes the bytes.
func (c *conn) Write(p []byte) (int, error) {
	select {
	case <-c.closed:
		return 0, net.ErrClosed
	default:
	}
	due := time.Now().Add(c.network.delay(c.from, c.to))
	c.mu.Lock()
	c.queue = append(c.queue, packet{due: due, data: append([]byte(nil), p...)})
	c.mu.Unlock()
	select {
	case c.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

// Close ends the connection for this side; what was written before is read by
// the other, if its link is whole.
func (c *conn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		_ = c.SetReadDeadline(time.Unix(1, 0))
		_ = c.Conn.SetWriteDeadline(time.Now().Add(lingers))
	})
	return nil
}

// Read reads what has arrived.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	select {
	case <-c.closed:
		return n, net.ErrClosed
	default:
		return n, err
	}
}

// SetWriteDeadline ends the connection at the deadline, unless it is zero: gRPC
// sets one only to say goodbye.
func (c *conn) SetWriteDeadline(t time.Time) error {
	if !t.IsZero() {
		time.AfterFunc(max(1, time.Until(t)), func() { _ = c.Close() })
	}
	return nil
}

// SetDeadline is of reads: writes take no time.
func (c *conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// sever ends the connection for both sides, and what is under way is lost.
func (c *conn) sever() {
	c.mu.Lock()
	c.queue = nil
	c.mu.Unlock()
	_ = c.Conn.Close()
	_ = c.Close()
}

// carry owns the pipe's writing end.
func (c *conn) carry() {
	defer c.Conn.Close()
	for {
		p, ok := c.next()
		if !ok {
			return
		}
		if wait := time.Until(p.due); wait > 0 {
			time.Sleep(wait)
		}
		for {
			arrives, changed := c.network.passes(c.from, c.to)
			if arrives {
				break
			}
			select {
			case <-changed:
			case <-c.closed:
				return
			}
		}
		if _, err := c.Conn.Write(p.data); err != nil {
			_ = c.Close()
			return
		}
	}
}

// next waits for something to carry; false once the connection is closed and
// nothing is left.
func (c *conn) next() (packet, bool) {
	for {
		c.mu.Lock()
		if len(c.queue) > 0 {
			p := c.queue[0]
			c.queue = c.queue[1:]
			c.mu.Unlock()
			return p, true
		}
		c.mu.Unlock()
		select {
		case <-c.more:
		case <-c.closed:
			c.mu.Lock()
			left := len(c.queue)
			c.mu.Unlock()
			if left == 0 {
				return packet{}, false
			}
		}
	}
}
