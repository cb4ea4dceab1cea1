package integration

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/identity"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// load is what clients of one party do all the time, and what failed of it. None
// of it may.
type load struct {
	g    *guarded
	name string
	// own are the party's files, and lasting a client that keeps its connections.
	own     *identity.Source
	lasting *client.Client
	stop    context.CancelFunc
	wait    sync.WaitGroup

	mu       sync.Mutex
	done     map[string]int
	failures []string
}

// loaded is the object that is written, read and watched.
const loaded = "loaded"

// burden begins the clients.
func (g *guarded) burden(name string) *load {
	g.t.Helper()
	l := &load{g: g, name: name, own: source(g.t, g.files(name)), done: map[string]int{}}
	l.lasting = l.client()
	create(g.ctx, g.t, l.lasting, loaded)
	ctx, stop := context.WithCancel(g.ctx)
	l.stop = stop
	g.t.Cleanup(func() {
		stop()
		l.wait.Wait()
		_ = l.lasting.Close()
	})
	l.writes(ctx)
	l.watches(ctx)
	l.every(ctx, pace, "read by a client that lasts", func(ctx context.Context, i int) error {
		p := g.servers[i%len(g.servers)]
		_, _, err := l.lasting.Get(ctx, refTo(loaded), client.OnEndpoint(p.api), client.WithFreshness(candor.FreshnessBounded))
		return err
	})
	l.every(ctx, 3*pace, "read and write by a client that dials anew", func(ctx context.Context, i int) error {
		k := l.client()
		defer func() { _ = k.Close() }()
		if _, _, err := k.Get(ctx, refTo(loaded), client.OnEndpoint(g.servers[i%len(g.servers)].api), client.WithFreshness(candor.FreshnessBestEffort)); err != nil {
			return err
		}
		o := object("made-anew")
		o.Metadata.Labels = map[string]string{"n": strconv.Itoa(i)}
		_, err := k.Update(ctx, o)
		if candor.ReasonOf(err) == candor.ReasonNotFound {
			_, err = k.Create(ctx, o)
		}
		return err
	})
	l.every(ctx, 3*pace, "connection that is tried once", l.once)
	l.every(ctx, 15*pace, "command", func(context.Context, int) error {
		args := append([]string{"get", "namespaces", "--server", strings.Join(g.addresses(), ",")}, tlsFlags(g.files(name))...)
		if code, out := command(g.t, args...); code != candor.ExitDone && ctx.Err() == nil {
			return fmt.Errorf("exit code %d: %s", code, out)
		}
		return nil
	})
	return l
}

func (l *load) client() *client.Client {
	k, err := client.New(client.Config{Endpoints: l.g.addresses(), TLS: l.own})
	if err != nil {
		panic(err) // unreachable: the addresses are well-formed
	}
	return k
}

// once dials a server anew and asks it as whom it takes us. Nothing is tried twice.
func (l *load) once(ctx context.Context, i int) error {
	p := l.g.servers[i%len(l.g.servers)]
	conn, err := grpc.NewClient("passthrough:///"+p.api, grpc.WithTransportCredentials(credentials.NewTLS(l.own.Client(identity.OneOf(candor.PartyServer), "h2"))))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	self, err := candorv1.NewAccessServiceClient(conn).WhoAmI(ctx, &candorv1.WhoAmIRequest{})
	if err == nil && (self.GetActor() != l.name || self.GetAuthenticatedBy() != string(candor.ProofCertificate)) {
		err = fmt.Errorf("%s takes us for %s by %s", p.name, self.GetActor(), self.GetAuthenticatedBy())
	}
	return err
}

// writes numbers the object.
func (l *load) writes(ctx context.Context) {
	l.every(ctx, pace, "write by a client that lasts", func(ctx context.Context, i int) error {
		o := object(loaded)
		o.Metadata.Labels = map[string]string{"n": strconv.Itoa(i)}
		_, err := l.lasting.Update(ctx, o)
		return err
	})
}

// watches wants every number, once and in order.
func (l *load) watches(ctx context.Context) {
	w, err := l.lasting.Watch(ctx, client.WatchOptions{Kind: candor.KindNamespaces, Name: loaded, AfterRevision: 1, Read: []client.ReadOption{client.WithFreshness(candor.FreshnessBestEffort)}})
	if err != nil {
		l.g.t.Fatal(err)
	}
	l.wait.Go(func() {
		defer func() { _ = w.Close() }()
		for next := 0; ; {
			batch, err := w.Next(ctx)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				l.note("watch", err)
				return
			}
			for _, e := range batch.Events {
				number, ok := e.Object.Metadata.Labels["n"]
				if !ok {
					continue // its creation
				}
				if number != strconv.Itoa(next) {
					l.note("watch", fmt.Errorf("shows %s, want %d", number, next))
					return
				}
				next++
				l.note("watch", nil)
			}
		}
	})
}

// every calls at that pace until the end.
func (l *load) every(ctx context.Context, pace time.Duration, what string, call func(ctx context.Context, i int) error) {
	l.wait.Go(func() {
		ticker := time.NewTicker(pace)
		defer ticker.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			// A call that the end interrupts did not fail.
			if err := call(ctx, i); ctx.Err() == nil {
				l.note(what, err)
			}
		}
	})
}

func (l *load) note(what string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failures = append(l.failures, time.Now().UTC().Format("15:04:05.000 ")+what+": "+err.Error())
		return
	}
	l.done[what]++
}

// goesOn waits until everything was done so often again.
func (l *load) goesOn(t *testing.T, often int) {
	t.Helper()
	want := l.counts()
	until(l.g.ctx, t, "every client goes on", func() bool {
		is := l.counts()
		for what := range want {
			if is[what] < want[what]+often {
				return l.failed() > 0
			}
		}
		return true
	})
}

func (l *load) counts() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.done)
}

func (l *load) failed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.failures)
}

// end ends the clients and wants nothing to have failed.
func (l *load) end(t *testing.T) {
	t.Helper()
	l.stop()
	l.wait.Wait()
	for _, failure := range l.failures {
		t.Error(failure)
	}
	t.Logf("done, and %d failed: %v", len(l.failures), l.done)
}
