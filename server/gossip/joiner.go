package gossip

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

const joinLogInterval = time.Minute

// rejoin reaches for seeds and lost peers until ctx ends: at once, and then once
// per RejoinInterval while fewer servers are alive than expected, or while peers
// still hold this server's ID at an address where it no longer is.
func (g *Gossip) rejoin(ctx context.Context) {
	var complainedAt time.Time
	for {
		v := g.view.Load()
		seeds, seedServers := g.lookUpSeeds(ctx)
		targets := g.joinTargets(v, seeds)
		if len(targets) > 0 && g.lacksPeers(v, seedServers) {
			reached, err := g.join(ctx, targets)
			if reached == 0 && ctx.Err() == nil && time.Since(complainedAt) > joinLogInterval {
				complainedAt = time.Now()
				g.log.Warn("no seed or known peer could be joined", "targets", targets, "last_error", err)
			}
			g.log.Debug("tried to join", "targets", targets, "reached", reached)
		}
		interval := g.cfg.Profile.RejoinInterval
		timer := time.NewTimer(interval + rand.N(interval/10+1))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// join tries every target, so that halves of a split find each other whichever
// of them a seed belongs to.
func (g *Gossip) join(ctx context.Context, targets []string) (reached int, last error) {
	for _, target := range targets {
		if ctx.Err() != nil {
			return reached, last
		}
		g.joinAttempts.Add(1)
		n, err := g.list.Join([]string{target})
		if err != nil {
			g.joinFailures.Add(1)
			g.unreadable.exchange(target, err)
			last = err
		}
		reached += n
	}
	return reached, last
}

// lacksPeers compares who is alive with who should be. A member that left or
// died is expected back until it is forgotten.
func (g *Gossip) lacksPeers(v *view, seedServers int) bool {
	alive, known := 0, 0
	for _, m := range v.members {
		if m.Self {
			continue
		}
		known++
		if m.State == StateAlive || m.State == StateSuspect {
			alive++
		}
	}
	expected := int(g.expected.Load())
	if expected == 0 {
		expected = seedServers
	}
	return alive < max(expected, known) || g.displaced(v)
}

// displaced reports whether peers announced this server at another address of late.
func (g *Gossip) displaced(v *view) bool {
	for _, c := range v.conflicts {
		if c.ServerID == g.cfg.Identity.ServerID && time.Since(c.Last) < 3*g.cfg.Profile.RejoinInterval {
			return true
		}
	}
	return false
}

// joinTargets returns the addresses of the seeds and of every known peer that
// is not alive, or of all peers while this server is displaced; never its own.
func (g *Gossip) joinTargets(v *view, seeds []string) []string {
	targets := slices.Clone(seeds)
	displaced := g.displaced(v)
	for _, m := range v.members {
		if displaced || m.State == StateDead || m.State == StateLeft {
			targets = append(targets, m.Addr)
		}
	}
	slices.Sort(targets)
	targets = slices.Compact(targets)
	return slices.DeleteFunc(targets, func(t string) bool { return t == g.addr })
}

// lookUpSeeds returns all addresses of the seeds, and how many of the seeds are
// other servers: one name may have several addresses.
func (g *Gossip) lookUpSeeds(ctx context.Context) (addrs []string, servers int) {
	for _, seed := range g.cfg.Seeds {
		found, err := resolve(ctx, seed)
		if err != nil {
			g.joinFailures.Add(1)
			g.log.Debug("seed not found", "seed", seed, "error", err)
		}
		if !slices.Contains(found, g.addr) {
			servers++
		}
		addrs = append(addrs, found...)
	}
	return addrs, servers
}

// resolve looks a seed up here, where ctx ends it; the library would also ask
// the first name server by TCP for everything it knows.
func resolve(ctx context.Context, seed string) ([]string, error) {
	if addr, err := netip.ParseAddrPort(seed); err == nil {
		return []string{addr.String()}, nil
	}
	host, port, err := net.SplitHostPort(seed)
	if err != nil {
		return nil, err
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, err
	}
	addrs := make([]string, 0, len(ips))
	for _, ip := range ips {
		addrs = append(addrs, netip.AddrPortFrom(ip.Unmap(), uint16(number)).String())
	}
	return addrs, nil
}
