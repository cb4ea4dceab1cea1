package server

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor/server/link"
)

// gonePause is how long a process that dies may still seem to listen: its
// connections may break before its listener does.
const gonePause = 10 * time.Millisecond

// gone says whether the host of a server is up and refuses connections to the
// server's Raft address: then the process is not there. Silence says nothing.
func (s *Server) gone(ctx context.Context, server raft.Server) bool {
	for range 5 {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", link.HostPort(server.Address))
		if errors.Is(err, syscall.ECONNREFUSED) {
			return true
		}
		if err != nil {
			return false
		}
		_ = c.Close()
		select {
		case <-ctx.Done():
			return false
		case <-time.After(gonePause):
		}
	}
	return false
}
