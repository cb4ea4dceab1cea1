package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// gossiping is a cluster whose servers gossip with one another.
type gossiping struct {
	*cluster
	ctx context.Context
	k   *client.Client
}

// startGossiping begins three servers with these flags besides, and waits until each
// sees all alive.
func startGossiping(t *testing.T, flags ...string) *gossiping {
	t.Helper()
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
	t.Cleanup(cancel)
	c := plan(t, 3, append(calm, flags...)...)
	var addresses []string
	for range c.servers {
		addresses = append(addresses, freeAddress(t))
	}
	for i, p := range c.servers {
		p.flags = append(p.flags, "--gossip", addresses[i], "--gossip-seeds", strings.Join(addresses, ","))
	}
	c.begin()
	g := &gossiping{cluster: c, ctx: ctx, k: c.client()}
	for _, p := range c.servers {
		c.answers(ctx, g.k, p)
	}
	g.wantAllAlive()
	return g
}

// seen is what a server says of the others' liveness, by name.
func (g *gossiping) seen(p *process) map[string]string {
	short, cancel := context.WithTimeout(g.ctx, 2*time.Second)
	defer cancel()
	members, err := g.k.Cluster().Members(short, client.OnEndpoint(p.api), client.WithoutSession())
	if err != nil {
		return nil
	}
	out := map[string]string{}
	for _, m := range members.Members {
		out[m.Name] = m.Liveness
	}
	return out
}

func (g *gossiping) wantAllAlive() {
	g.t.Helper()
	for _, p := range g.servers {
		until(g.ctx, g.t, p.name+" sees all alive", func() bool {
			all := g.seen(p)
			for _, liveness := range all {
				if liveness != "ALIVE" {
					return false
				}
			}
			return len(all) == len(g.servers)
		})
	}
}

// keys are a server's, the one that it sends with first.
func (g *gossiping) keys(p *process) []client.GossipKey {
	g.t.Helper()
	keys, err := g.k.Node(p.api).GossipKeys(g.ctx)
	if err != nil {
		g.t.Fatalf("gossip keys of %s: %v", p.name, err)
	}
	return keys
}

func (g *gossiping) wantOneKey(path string) {
	g.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		g.t.Fatal(err)
	}
	want, err := client.GossipFingerprint(string(text))
	if err != nil {
		g.t.Fatal(err)
	}
	for _, p := range g.servers {
		if keys := g.keys(p); len(keys) != 1 || !keys[0].Primary || keys[0].Fingerprint != want {
			g.t.Errorf("%s has the keys %+v, want %s alone", p.name, keys, want)
		}
	}
}

// rotate runs the command of an operator.
func (g *gossiping) rotate(keyFile string) (code int, said string) {
	g.t.Helper()
	return command(g.t, "gossip", "keys", "rotate", "--key-file", keyFile, "--server", strings.Join(g.addresses(), ","), "--timeout", "3s")
}

func (g *gossiping) newKeyFile(name string) string {
	g.t.Helper()
	path := filepath.Join(g.dir, name)
	if err := os.WriteFile(path, []byte(client.NewGossipKey()+"\n"), 0o600); err != nil {
		g.t.Fatal(err)
	}
	return path
}

// gossipLoad reads and writes all the time at every server, and looks who sees whom.
type gossipLoad struct {
	stop context.CancelFunc
	wait sync.WaitGroup

	mu       sync.Mutex
	done     map[string]int
	failures []string
}

func (l *gossipLoad) note(what string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done[what]++
	if err != nil && len(l.failures) < 10 {
		l.failures = append(l.failures, fmt.Sprintf("%s: %v", what, err))
	}
}

func (l *gossipLoad) counts() (writes, reads, looks int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.done["write"], l.done["read"], l.done["look"]
}

func (g *gossiping) load() *gossipLoad {
	ctx, stop := context.WithCancel(g.ctx)
	l := &gossipLoad{stop: stop, done: map[string]int{}}
	again := func(what string, do func(i int) error) {
		l.wait.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if err := do(i); ctx.Err() == nil {
					l.note(what, err)
				}
			}
		})
	}
	for n, p := range g.servers {
		writer, reader := g.client(), g.client()
		again("write", func(i int) error {
			_, err := writer.Create(ctx, object(fmt.Sprintf("l%d-%d", n, i)))
			return err
		})
		again("read", func(i int) error {
			class := client.WithFreshness(candor.FreshnessBounded)
			if i%2 == 0 {
				class = client.WithFollowerReadIndex()
			}
			_, _, err := reader.Get(ctx, candor.Ref{Kind: candor.KindNamespaces, Name: "default"}, class, client.OnEndpoint(p.api))
			return err
		})
		again("look", func(int) error {
			for name, liveness := range g.seen(p) {
				if liveness == "DEAD" || liveness == "LEFT" {
					return fmt.Errorf("%s sees %s as %s", p.name, name, liveness)
				}
			}
			return nil
		})
	}
	return l
}

// goOn waits until everything was done so many times more.
func (l *gossipLoad) goOn(ctx context.Context, t *testing.T, n int) {
	t.Helper()
	writes, reads, looks := l.counts()
	until(ctx, t, "the load goes on", func() bool {
		w, r, k := l.counts()
		return w >= writes+n && r >= reads+n && k >= looks+n
	})
}

// end stops the load, of which nothing may have failed.
func (l *gossipLoad) end(t *testing.T) {
	t.Helper()
	l.stop()
	l.wait.Wait()
	for _, failure := range l.failures {
		t.Error(failure)
	}
}

// TestGossipKeysRotateUnderLoad: three times over, while every server is read and
// written, no request fails, nobody is taken for dead, and each ring ends with the
// new key alone.
func TestGossipKeysRotateUnderLoad(t *testing.T) {
	first := filepath.Join(t.TempDir(), "first.key")
	if err := os.WriteFile(first, []byte(client.NewGossipKey()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	g := startGossiping(t, "--gossip-key-file", first)
	g.wantOneKey(first)
	l := g.load()
	t.Cleanup(l.stop)
	l.goOn(g.ctx, t, 100)
	for n := range 3 {
		path := filepath.Join(g.dir, fmt.Sprintf("new-%d.key", n))
		code, said := g.rotate(path)
		if code != candor.ExitDone {
			t.Fatalf("exit %d:\n%s", code, said)
		}
		g.wantOneKey(path)
		l.goOn(g.ctx, t, 100)
	}
	// Longer than gossip takes to give somebody up whom it does not hear.
	began := time.Now()
	for time.Since(began) < 8*time.Second {
		l.goOn(g.ctx, t, 50)
	}
	l.end(t)
	g.wantAllAlive()
	for _, p := range g.servers {
		if text := p.said(t); strings.Contains(text, "shares no key") {
			t.Errorf("%s was sent what it could not open:\n%s", p.name, text)
		}
	}
}

// TestARotationOfGossipKeysWaitsForAServerThatIsDown: it stops before anything is
// changed, or in the middle, says so, and goes on when the server is back.
func TestARotationOfGossipKeysWaitsForAServerThatIsDown(t *testing.T) {
	first := filepath.Join(t.TempDir(), "first.key")
	if err := os.WriteFile(first, []byte(client.NewGossipKey()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	g := startGossiping(t, "--gossip-key-file", first)
	leader := g.leader(g.ctx, g.k)
	var down *process
	for _, p := range g.servers {
		if p != leader {
			down = p
		}
	}
	path := filepath.Join(g.dir, "new.key")
	down.kill()
	code, said := g.rotate(path)
	if code != candor.ExitUnavailable || !strings.Contains(said, "nothing was changed") || !strings.Contains(said, down.name) {
		t.Fatalf("exit %d:\n%s", code, said)
	}
	// By hand, on those that are there: the ring of the one that is down lacks it.
	half := g.newKeyFile("half.key")
	text, err := os.ReadFile(half)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range g.servers {
		if p != down {
			if _, err := g.k.Node(p.api).AddGossipKey(g.ctx, string(text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	down.begin(t)
	g.answers(g.ctx, g.k, down)
	g.wantAllAlive()
	if code, said = g.rotate(path); code != candor.ExitDone {
		t.Fatalf("exit %d:\n%s", code, said)
	}
	g.wantOneKey(path)
	// What a ring holds outlives the process.
	down.kill()
	down.begin(t)
	g.answers(g.ctx, g.k, down)
	g.wantOneKey(path)
	g.wantAllAlive()
}

// TestARunningClusterBeginsToEncryptItsGossip, by restarts of one server after
// another, in three rounds; each server that has come back sees all and is seen.
func TestARunningClusterBeginsToEncryptItsGossip(t *testing.T) {
	g := startGossiping(t)
	for _, p := range g.servers {
		if _, err := g.k.Node(p.api).GossipKeys(g.ctx); candor.ReasonOf(err) != candor.ReasonUnavailable || !strings.Contains(err.Error(), "--gossip-key-file") {
			t.Errorf("%s gossips in the clear, and says of its keys: %v", p.name, err)
		}
	}
	key := g.newKeyFile("first.key")
	for _, demand := range []string{"accepted", "offered", "required"} {
		for _, p := range g.servers {
			p.stop(t)
			p.flags = append(p.flags, "--gossip-key-file", key, "--gossip-encryption", demand)
			p.begin(t)
			g.answers(g.ctx, g.k, p)
			g.wantAllAlive()
		}
	}
	g.wantOneKey(key)
	next := filepath.Join(g.dir, "next.key")
	if code, said := g.rotate(next); code != candor.ExitDone {
		t.Fatalf("exit %d:\n%s", code, said)
	}
	g.wantOneKey(next)
	g.wantAllAlive()
}
