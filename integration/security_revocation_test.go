package integration

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// atOnce is how soon a watch ends whose token is revoked, on a machine that is
// busy: the servers wake it when they apply the change.
const atOnce = 2 * time.Second

// TestAWatchEndsAtOnceWhenItsTokenIsRevoked on every server, and says why. The
// watch of somebody else goes on.
func TestAWatchEndsAtOnceWhenItsTokenIsRevoked(t *testing.T) {
	g := guard(t, 40*time.Second, calm...)
	bob := g.token("bob", "viewer")
	carl := g.token("carl", "viewer")
	mine, others := g.watches(bob), g.watches(carl)
	create(g.ctx, t, g.root, "seen")
	for _, w := range append(mine, others...) {
		w.sees(g.ctx, t, "seen")
	}
	g.cli("root", candor.ExitDone, "auth", "token", "revoke", accessor(t, bob))
	revoked := time.Now()
	for _, w := range mine {
		select {
		case err := <-w.ended:
			if candor.ReasonOf(err) != candor.ReasonUnauthenticated || !strings.Contains(err.Error(), accessor(t, bob)) {
				t.Errorf("the watch at %s ended with %v, want UNAUTHENTICATED that names the token", w.name, err)
			}
		case <-time.After(atOnce):
			t.Errorf("the watch at %s goes on %s after its token was revoked", w.name, atOnce)
		}
	}
	t.Logf("watches ended within %s", time.Since(revoked).Round(time.Millisecond))
	create(g.ctx, t, g.root, "unseen")
	for _, w := range others {
		w.sees(g.ctx, t, "unseen")
	}
	for _, w := range mine {
		if w.has("unseen") {
			t.Errorf("the watch at %s saw what was made after its token was revoked", w.name)
		}
	}
	// The token is of no use for anything else either.
	k := g.with(g.trusting(), client.Config{Token: bob})
	for _, p := range g.servers {
		g.heard(p)
		if _, _, err := k.Get(g.ctx, refTo("seen"), client.OnEndpoint(p.api), client.WithFreshness(candor.FreshnessBestEffort)); candor.ReasonOf(err) != candor.ReasonUnauthenticated {
			t.Errorf("%s answers who has a revoked token: %v", p.name, err)
		}
	}
}

func refTo(name string) candor.Ref { return candor.Ref{Kind: candor.KindNamespaces, Name: name} }

// sight is a watch at one server, whose names are passed on as they come.
type sight struct {
	name  string
	names chan string
	seen  map[string]bool
	ended chan error
}

// watches begins a watch at each server with a token.
func (g *guarded) watches(token string) []*sight {
	g.t.Helper()
	k := g.with(g.trusting(), client.Config{Token: token})
	var all []*sight
	for _, p := range g.servers {
		ctx, cancel := context.WithCancel(g.ctx)
		w, err := k.Watch(ctx, client.WatchOptions{Kind: candor.KindNamespaces, Read: []client.ReadOption{
			client.OnEndpoint(p.api), client.WithFreshness(candor.FreshnessBestEffort),
		}})
		if err != nil {
			g.t.Fatal(err)
		}
		s := &sight{name: p.name, names: make(chan string, 64), seen: map[string]bool{}, ended: make(chan error, 1)}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				batch, err := w.Next(ctx)
				if err != nil {
					s.ended <- err
					return
				}
				for _, e := range batch.Events {
					s.names <- e.Object.Metadata.Name
				}
			}
		}()
		g.t.Cleanup(func() {
			cancel()
			_ = w.Close()
			<-done
		})
		all = append(all, s)
	}
	return all
}

// sees waits until the watch shows an object.
func (s *sight) sees(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	for !s.has(name) {
		select {
		case <-ctx.Done():
			t.Fatalf("the watch at %s does not show %s", s.name, name)
		case err := <-s.ended:
			t.Fatalf("the watch at %s ended before it showed %s: %v", s.name, name, err)
		case other := <-s.names:
			s.seen[other] = true
		}
	}
}

// has says whether it was shown until now.
func (s *sight) has(name string) bool {
	for {
		select {
		case other := <-s.names:
			s.seen[other] = true
		default:
			return s.seen[name]
		}
	}
}
