package stage

import (
	"context"
	"net"
)

// dial connects from the clients' place.
func (s *Stage) dial(ctx context.Context, address string) (net.Conn, error) {
	return s.links.Dial(ctx, "", address)
}
