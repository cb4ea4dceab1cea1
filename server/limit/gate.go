package limit

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/candor-plane/candor"
)

// Gate is a listener that closes connections beyond its bounds before anything is
// read from them, with a reset, so that nothing of them stays. Those it returns
// count until they are closed, however far their handshake came: what bounds the
// time of a handshake is its reader's deadline, and what bounds their number is
// this. One address that opens thousands and says nothing has its own share.
//
// Close closes the listener below. Connections belong to whoever accepted them.
type Gate struct {
	net.Listener

	epoch   time.Time
	refused func(remote string, why Cause)

	mu       sync.Mutex
	settings GateSettings
	rate     rate
	open     int
	origins  origins
	accepted uint64
	counts   map[Cause]uint64
}

// NewGate puts a gate before a listener, which it owns from then on. The observer
// is told of every connection that is refused, by the goroutine that accepts: it
// must not block, and limits itself how often it logs. The error is that of
// GateSettings.Check; then the listener is untouched.
func NewGate(listener net.Listener, settings GateSettings, refused func(remote string, why Cause)) (*Gate, error) {
	if listener == nil || refused == nil {
		panic("limit: a gate needs a listener and an observer")
	}
	g := &Gate{
		Listener: listener, refused: refused, epoch: time.Now(),
		origins: origins{known: map[netip.Addr]*origin{}}, counts: map[Cause]uint64{},
	}
	if err := g.Set(settings); err != nil {
		return nil, err
	}
	return g, nil
}

// Set replaces the settings; the error is that of GateSettings.Check, and then
// the old ones stay. Connections that are open stay open.
func (g *Gate) Set(settings GateSettings) error {
	if err := settings.Check(); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settings, g.rate = settings, newRate(settings.Rate, settings.Burst)
	return nil
}

// Accept returns the next connection within the bounds. It waits for nobody but
// the listener. An address that comes too often costs one close a time.
func (g *Gate) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			return nil, err // as the listener said it: servers look at its type
		}
		from := addressOf(conn)
		origin, why := g.admit(from)
		if why == "" {
			return &gated{Conn: conn, gate: g, origin: origin}, nil
		}
		reset(conn)
		g.refused(nameOf(from), why)
	}
}

// admit counts a connection in, or says why not.
func (g *Gate) admit(from netip.Addr) (*origin, Cause) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := int64(time.Since(g.epoch))
	o := g.origins.find(from, g.settings.Addresses, now)
	why := g.judge(o, now)
	if why != "" {
		o.refused++
		g.counts[why]++
		return nil, why
	}
	o.open++
	o.accepted++
	g.open++
	g.accepted++
	return o, ""
}

// judge looks at the rate first: an address over it is not told more. A connection
// refused for a bound has spent its token. One whose address is unknown, as those
// within a process have none, is bounded in total only.
func (g *Gate) judge(o *origin, now int64) Cause {
	named := o.address.IsValid()
	if named && g.rate.interval != 0 {
		full, wait := g.rate.take(o.full, now)
		if wait > 0 {
			return CauseRate
		}
		o.full = full
	}
	switch {
	case named && o.open >= g.settings.PerAddress:
		return CauseAddressConnections
	case g.open >= g.settings.Connections:
		return CauseConnections
	}
	return ""
}

func (g *Gate) leave(o *origin) {
	g.mu.Lock()
	defer g.mu.Unlock()
	o.open--
	g.open--
}

// gated is a connection that counts until it is first closed.
type gated struct {
	net.Conn

	gate   *Gate
	origin *origin
	closed atomic.Bool
}

func (c *gated) Close() error {
	err := c.Conn.Close()
	if c.closed.CompareAndSwap(false, true) {
		c.gate.leave(c.origin)
	}
	return err
}

// SyscallConn is the connection's below, for whoever sets socket options. It is an
// error for one that has no socket.
func (c *gated) SyscallConn() (syscall.RawConn, error) {
	socket, ok := c.Conn.(syscall.Conn)
	if !ok {
		return nil, candor.Errorf(candor.ReasonUnimplemented, "a %T has no socket", c.Conn)
	}
	return socket.SyscallConn()
}

// reset closes a connection and leaves nothing of it, not even a port that waits.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// addressOf is what a connection counts for; invalid if it came from no IP address.
func addressOf(conn net.Conn) netip.Addr {
	tcp, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return source(tcp.AddrPort().Addr())
}

// nameOf is how observers and diagnostics call an address.
func nameOf(from netip.Addr) string {
	if !from.IsValid() {
		return "unknown"
	}
	return from.String()
}
