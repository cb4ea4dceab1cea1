package link

import (
	"net"
	"sync/atomic"
)

// inbound is a Raft connection that another server began. It tells when that
// server ended it, and not when this one did.
type inbound struct {
	net.Conn
	layer  *Layer
	from   string
	closed atomic.Bool
}

func (c *inbound) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil && !c.closed.Swap(true) {
		c.layer.broken(c.from)
	}
	return n, err
}

func (c *inbound) Close() error {
	c.closed.Store(true)
	return c.Conn.Close()
}
