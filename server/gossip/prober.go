package gossip

import (
	"context"
	"net"
	"time"
)

// probe asks, once per ProbeInterval, each peer that has not answered for
// longer than that: memberlist keeps to itself whom it suspects, and spreads its
// own probes over all peers in turn. It also asks both sides of a conflict.
func (g *Gossip) probe(ctx context.Context) {
	ticker := time.NewTicker(g.cfg.Profile.ProbeInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		v := g.view.Load()
		for _, m := range v.members {
			if ctx.Err() != nil {
				return
			}
			g.probeMember(m)
		}
		for _, c := range v.conflicts {
			if ctx.Err() != nil {
				return
			}
			g.probeConflict(c)
		}
	}
}

func (g *Gossip) probeMember(m Member) {
	if m.Self || m.State == StateDead || m.State == StateLeft {
		return
	}
	now := time.Now()
	if now.Sub(m.HeardAt) < g.cfg.Profile.ProbeInterval*3/2 {
		return
	}
	// A member that just came has not had its turn yet.
	if m.HeardAt.IsZero() && now.Sub(m.Since) < g.cfg.Profile.ProbeInterval*3/2 {
		return
	}
	rtt, ok := g.ping(m.ServerID, m.Addr)
	n := note{kind: noteUnanswered, id: m.ServerID, at: time.Now()}
	if ok {
		n.kind, n.rtt = noteAnswered, rtt
	}
	g.box.post(n)
}

// probeConflict finds out whether one server moved or two live ones share an
// ID. A ping names its target, so an answer comes only from that ID.
func (g *Gossip) probeConflict(c Conflict) {
	if time.Since(c.ProbedAt) < 3*g.cfg.Profile.ProbeInterval {
		return
	}
	n := note{kind: noteConflictProbed, id: c.ServerID, existing: c.Existing, other: c.Other}
	n.existing.Answered = c.Existing.Addr == g.addr
	if !n.existing.Answered {
		_, n.existing.Answered = g.ping(c.ServerID, c.Existing.Addr)
	}
	_, n.other.Answered = g.ping(c.ServerID, c.Other.Addr)
	n.at = time.Now()
	g.box.post(n)
}

// ping returns within ProbeTimeout.
func (g *Gossip) ping(serverID, addr string) (time.Duration, bool) {
	rtt, err := g.list.Ping(serverID, pingAddr(addr))
	return rtt, err == nil
}

// pingAddr is a host:port in the form that memberlist asks for.
type pingAddr string

var _ net.Addr = pingAddr("")

func (pingAddr) Network() string  { return "udp" }
func (a pingAddr) String() string { return string(a) }
