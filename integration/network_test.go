package integration

import (
	"context"
	"net"
	"slices"
	"testing"
	"time"
)

// network carries what servers send one another, each direction of each pair by
// itself. The tests' own clients are no part of it: they reach every server.
type network interface {
	// place gives a server that has not begun its addresses and a way to start.
	place(p *process)
	// dial connects to a server's address: from another server's place, or with
	// an empty name from the clients'.
	dial(ctx context.Context, from, address string) (net.Conn, error)
	// Cut loses what one server sends to another, without a word to either, until
	// Heal. Connections stay, and go on after that.
	Cut(from, to string)
	Heal(from, to string)
	// delivers sends something the way of the servers' own messages and says
	// whether it arrives, and that this is their way.
	delivers(from, to string) bool
}

// settles bounds how long delivers waits for what was sent.
const settles = 60 * time.Millisecond

// direction is one direction of one pair of servers.
type direction struct{ from, to string }

// links is a network whose faults are known to bite: each is tried when it
// begins and when it ends, and one that made no difference ends the test as
// inconclusive.
type links struct {
	network
	t   *testing.T
	cut map[direction]bool
}

// newLinks is a network of namespaces, where this process may make those, and
// otherwise one of proxies.
func newLinks(t *testing.T) *links {
	t.Helper()
	n, refused := newNamespaces(t)
	if refused == nil {
		return linksOver(t, n)
	}
	t.Logf("proxies carry the servers' messages, for there are no namespaces: %v", refused)
	return linksOver(t, newProxies(t))
}

func linksOver(t *testing.T, n network) *links {
	return &links{network: n, t: t, cut: map[direction]bool{}}
}

// client dials as the tests' clients do.
func (l *links) client(ctx context.Context, address string) (net.Conn, error) {
	return l.dial(ctx, "", address)
}

// Cut cuts one direction and sees to it that it was there and is gone.
func (l *links) Cut(from, to string) {
	l.t.Helper()
	l.change(true, direction{from, to})
}

// Heal mends one direction and sees to it that it is back.
func (l *links) Heal(from, to string) {
	l.t.Helper()
	l.change(false, direction{from, to})
}

// HealAll mends all that is cut.
func (l *links) HealAll() {
	l.t.Helper()
	var all []direction
	for d := range l.cut {
		all = append(all, d)
	}
	l.change(false, all...)
}

// Part cuts both directions between every server of the one side and every
// server of the other.
func (l *links) Part(side, other []string) {
	l.t.Helper()
	var all []direction
	for _, a := range side {
		for _, b := range other {
			all = append(all, direction{a, b}, direction{b, a})
		}
	}
	l.change(true, all...)
}

// Flap cuts and mends both directions between two sides, so many times, and
// leaves them mended.
func (l *links) Flap(ctx context.Context, side, other []string, times int, down, up time.Duration) {
	l.t.Helper()
	for range times {
		l.Part(side, other)
		pass(ctx, l.t, down)
		l.HealAll()
		pass(ctx, l.t, up)
	}
}

// change makes a set of changes at once and tries each.
func (l *links) change(cut bool, all ...direction) {
	l.t.Helper()
	for _, d := range all {
		if cut && !l.delivers(d.from, d.to) {
			l.t.Fatalf("INCONCLUSIVE: %s did not reach %s before the link was cut", d.from, d.to)
		}
	}
	for _, d := range all {
		if cut {
			l.network.Cut(d.from, d.to)
			l.cut[d] = true
		} else {
			l.network.Heal(d.from, d.to)
			delete(l.cut, d)
		}
	}
	for _, d := range all {
		if l.delivers(d.from, d.to) == cut {
			l.t.Fatalf("INCONCLUSIVE: the link from %s to %s was to change (cut: %t), and did not", d.from, d.to, cut)
		}
	}
}

// bites sees to it, in the middle of a fault, that exactly what is cut is cut.
func (l *links) bites(names ...string) {
	l.t.Helper()
	for _, from := range names {
		for _, to := range names {
			if from != to && l.delivers(from, to) == l.cut[direction{from, to}] {
				l.t.Fatalf("INCONCLUSIVE: from %s to %s the link is not as it was made (cut: %t)", from, to, l.cut[direction{from, to}])
			}
		}
	}
}

// pass lets time go by, of which a fault is made.
func pass(ctx context.Context, t *testing.T, d time.Duration) {
	t.Helper()
	if !passes(ctx, d) {
		t.Fatalf("no time left: %v", context.Cause(ctx))
	}
}

// passes is pass, and says whether there was so much time.
func passes(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// others are all of the names but these.
func others(names []string, but ...string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(but, n) })
}
