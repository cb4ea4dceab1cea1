package integration

import (
	"context"
	"net"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/candor-plane/candor/drill/network"
)

// links is the network between a test's servers, whose faults are known to bite:
// one that made no difference ends the test as inconclusive.
type links struct {
	*network.Links
	t *testing.T
}

// newLinks is a network of namespaces, where this process may make those, and
// otherwise one of proxies. It skips the test where neither can be made.
func newLinks(t *testing.T) *links {
	t.Helper()
	return linksOver(t, newNetwork(t, ""))
}

// newProxies is a network of proxies; it skips the test where there is none.
func newProxies(t *testing.T) *network.Links {
	t.Helper()
	return newNetwork(t, network.Proxies)
}

func newNetwork(t *testing.T, layer network.Layer) *network.Links {
	t.Helper()
	n, err := network.New(t.Context(), network.Options{Layer: layer})
	if err != nil {
		t.Skipf("SKIPPED, network faults between real servers are not tested: %v", err)
	}
	if n.Refused() != nil {
		t.Logf("%s carry the servers' messages: %v", n.Layer(), n.Refused())
	}
	return n
}

func linksOver(t *testing.T, n *network.Links) *links {
	l := &links{Links: n, t: t}
	t.Cleanup(func() { // the servers were ended before
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// place gives a server that has not begun its addresses and a way to start.
func (l *links) place(p *process) {
	l.t.Helper()
	place, err := l.Place(p.name, p.api, p.raft)
	if err != nil {
		l.t.Fatal(err)
	}
	p.api, p.raft = place.API, place.Raft
	if !place.Loopback {
		p.flags = append(p.flags, "--insecure")
	}
	if place.Lead != nil {
		l.lead(p, place)
		return
	}
	p.start = func(child *exec.Cmd) error { return place.Start(child.Start) }
}

// client dials as the tests' clients do.
func (l *links) client(ctx context.Context, address string) (net.Conn, error) {
	return l.Dial(ctx, "", address)
}

// Cut cuts one direction.
func (l *links) Cut(from, to string) {
	l.t.Helper()
	l.cut(network.Direction{From: from, To: to})
}

// Part cuts both directions between every server of the one side and every
// server of the other.
func (l *links) Part(side, other []string) {
	l.t.Helper()
	l.cut(network.Between(side, other)...)
}

func (l *links) cut(directions ...network.Direction) {
	l.t.Helper()
	if _, err := l.Links.Cut(l.t.Context(), directions...); err != nil {
		l.t.Fatalf("INCONCLUSIVE: %v", err)
	}
}

// HealAll mends all that is cut.
func (l *links) HealAll() {
	l.t.Helper()
	if err := l.Links.HealAll(l.t.Context()); err != nil {
		l.t.Fatalf("INCONCLUSIVE: %v", err)
	}
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

// bites sees to it, in the middle of a fault, that exactly what is cut is cut.
func (l *links) bites(names ...string) {
	l.t.Helper()
	if err := l.Holds(l.t.Context(), names...); err != nil {
		l.t.Fatalf("INCONCLUSIVE: %v", err)
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
