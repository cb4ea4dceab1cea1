package link

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"time"

	"github.com/candor-plane/candor"
)

// Secure proves who is at the other end of a connection. Both methods take the
// connection over: where they fail, the caller closes it.
type Secure interface {
	// Client proves that the server of that ID answers.
	Client(ctx context.Context, c net.Conn, serverID string) (net.Conn, error)
	// Server proves which server called.
	Server(ctx context.Context, c net.Conn) (_ net.Conn, serverID string, _ error)
}

// maxAge is how long a secured connection is used, and half as much again at most:
// certificates count when it begins, so one whose authority is gone ends in time.
const maxAge = time.Hour

// aged ends a connection that has been used for long, between two messages. What
// is on its way is sent again on another one.
type aged struct {
	net.Conn
	until time.Time
	// refuses: whoever writes makes another connection, as raft does. Calls look at
	// the age themselves, so that none of them fails.
	refuses bool
}

func age(c net.Conn, refuses bool) *aged {
	return &aged{Conn: c, until: time.Now().Add(maxAge + rand.N(maxAge/2)), refuses: refuses}
}

var errAged = candor.Errorf(candor.ReasonUnavailable, "the connection has been used for long; another one follows")

func (c *aged) Write(p []byte) (int, error) {
	if c.refuses && c.old() {
		return 0, errAged
	}
	return c.Conn.Write(p)
}

func (c *aged) old() bool { return time.Now().After(c.until) }

// secured is c once it is proven that the server answers there.
func (l *Layer) secured(ctx context.Context, c net.Conn, serverID, purpose string) (net.Conn, error) {
	if l.config.Secure == nil {
		return c, nil
	}
	proven, err := l.config.Secure.Client(ctx, c, serverID)
	if err != nil {
		return nil, err
	}
	return age(proven, purpose == forRaft), nil
}

// proven is c once it is proven which server called; the ID is empty where nothing
// proves anything.
func (l *Layer) proven(c net.Conn) (_ net.Conn, serverID string, _ error) {
	if l.config.Secure == nil {
		return c, "", nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), helloTimeout)
	defer cancel()
	return l.config.Secure.Server(ctx, c)
}

// isAged says whether a connection for calls is to be replaced before the next one.
func isAged(c net.Conn) bool {
	a, ok := c.(*aged)
	return ok && a.old()
}

// refusedHandshake logs who was refused, but not those that only hung up.
func (l *Layer) refusedHandshake(from string, err error) {
	if e, ok := errors.AsType[*candor.Error](err); ok {
		l.config.Logger.Warn("connection refused", "from", from, "why", e.Message)
	}
}
