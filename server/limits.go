package server

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"

	"google.golang.org/grpc/peer"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server/grpcapi"
	"github.com/candor-plane/candor/server/limit"
)

// limits are how much one party may have of this node.
type limits struct {
	requests *limit.Limiter
	gate     *limit.Gate
	// refused counts connections that the log did not name: the first is logged, and
	// then every thousandth.
	refused atomic.Uint64
}

// LimitNames are the names in Config.Limits.
func LimitNames() []string { return limit.Names() }

// openLimits puts the gate before the API's listener.
func (s *Server) openLimits() (err error) {
	settings, gate := limit.Defaults(), limit.GateDefaults()
	if err := limit.Assign(s.config.Limits, &settings, &gate); err != nil {
		return err
	}
	if s.limits.requests, err = limit.New(settings); err != nil {
		return candor.Wrap("--limit", err)
	}
	s.limits.gate, err = limit.NewGate(s.listener, gate, s.closedOut)
	if err != nil {
		return candor.Wrap("--limit", err)
	}
	s.listener = s.limits.gate
	return nil
}

// serverGate bounds the connections to Raft's port: servers need few.
func serverGate() limit.GateSettings {
	return limit.GateSettings{Connections: 2048, PerAddress: 512, Rate: 100, Burst: 256, Addresses: 4096}
}

// closedOut is told of connections beyond the gate's bounds.
func (s *Server) closedOut(remote string, why limit.Cause) {
	if n := s.limits.refused.Add(1); n%1000 == 1 {
		s.logger.Warn("connections refused", "newest", remote, "why", string(why), "so_far", n)
	}
}

// Enter waits for a place for a request, or counts a watch.
func (e *entrance) Enter(ctx context.Context, class candor.AdmissionClass, watch bool) (grpcapi.Place, error) {
	who := whoFor(ctx)
	if watch {
		w, err := e.s.limits.requests.Watch(who)
		if err != nil {
			return nil, err
		}
		return w, nil
	}
	p, err := e.s.limits.requests.Enter(ctx, who, class)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// whoFor is for whom a request counts: an actor who proved it, or an address.
func whoFor(ctx context.Context) limit.Who {
	if p := grpcapi.PrincipalOf(ctx); p.Verified() {
		return limit.Actor(p.Actor)
	}
	caller, ok := peer.FromContext(ctx)
	if !ok {
		return limit.Who{}
	}
	at, ok := caller.Addr.(*net.TCPAddr)
	if !ok {
		return limit.Address(netip.Addr{})
	}
	return limit.Address(at.AddrPort().Addr())
}

// collect reports the limits' metrics.
func (l *limits) collect(gauge, counter func(name, help string, value float64, labels ...string)) {
	requests, gate := l.requests.Stats(), l.gate.Stats()
	for i := range requests.Classes {
		c := &requests.Classes[i]
		class := string(c.Class)
		gauge("limit_places", "How many requests of a class may be under way.", float64(c.Places), "class", class)
		gauge("limit_in_use", "Requests under way.", float64(c.InUse), "class", class)
		gauge("limit_waiting", "Requests that wait for a place.", float64(c.Waiting), "class", class)
		counter("limit_queued_total", "Requests that had to wait for a place.", float64(c.Queued), "class", class)
		for why, n := range c.Refused {
			counter("limit_refused_total", "Requests refused by a limit.", float64(n), "class", class, "cause", string(why))
		}
	}
	gauge("limit_watches", "Watches that are open.", float64(requests.Watches.Open))
	for why, n := range requests.Watches.Refused {
		counter("limit_watches_refused_total", "Watches refused by a limit.", float64(n), "cause", string(why))
	}
	gauge("limit_identities", "Parties that are remembered for the limits.", float64(requests.Identities))
	gauge("connections", "Connections to the API that are open.", float64(gate.Open))
	counter("connections_total", "Connections to the API that were taken.", float64(gate.Accepted))
	for why, n := range gate.Refused {
		counter("connections_refused_total", "Connections to the API that were refused.", float64(n), "cause", string(why))
	}
}

var _ grpcapi.Place = limit.Place{}
