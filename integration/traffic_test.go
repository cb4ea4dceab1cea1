package integration

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/verify/history"
)

// traffic is clients that read and write registers, every call of which is
// recorded: of each server by itself, a writer and a reader of each class; and
// clients that hop to the next server at every call, each with its session.
type traffic struct {
	recorder *history.Recorder
	began    time.Time
	stop     chan struct{}
	wait     sync.WaitGroup
}

const (
	registerCount = 6
	// pace is the pause of each client between two calls.
	pace = 20 * time.Millisecond
	// patience bounds a call to one server. It is longer than TCP and raft take to
	// go on after a cut, for a STRONG read of a follower waits that long, and
	// shorter than the client's attempts. writePatience bounds a write, which waits
	// for an answer of the leader that it was handed to; hopPatience a call that may
	// wait in vain for the session's token.
	patience      = 2900 * time.Millisecond
	writePatience = 1500 * time.Millisecond
	hopPatience   = 400 * time.Millisecond

	hopperPrefix = "hopper-"
	hoppers      = 2
	writerPrefix = "writer-"
)

var classes = []candor.Freshness{candor.FreshnessStrong, candor.FreshnessBounded, candor.FreshnessBestEffort}

// serverOf is the one server that a client reaches; empty for one that reaches
// all.
func serverOf(client string) string {
	if strings.HasPrefix(client, hopperPrefix) {
		return ""
	}
	return strings.TrimPrefix(client, writerPrefix)
}

func register(i int) string { return fmt.Sprint("register-", i%registerCount) }

func registerHolding(i int, value string) *candor.Object {
	o := object(register(i))
	o.Metadata.Labels = map[string]string{"value": value}
	return o
}

func newTraffic() *traffic {
	return &traffic{began: time.Now(), recorder: history.NewRecorder(), stop: make(chan struct{})}
}

// now is a moment of the record.
func (tr *traffic) now() int64 { return time.Since(tr.began).Nanoseconds() }

func (tr *traffic) caller(name string, k *client.Client) *history.Caller {
	return tr.recorder.Caller(name, k, history.Label("value"))
}

// prepare creates the registers.
func (tr *traffic) prepare(ctx context.Context, t *testing.T, k *client.Client) {
	t.Helper()
	setup := tr.caller("setup", k)
	for i := range registerCount {
		if _, err := setup.Create(ctx, candor.KindNamespaces, registerHolding(i, fmt.Sprint("setup-", i))); err != nil {
			t.Fatal(err)
		}
	}
}

// end stops the clients, each after its call, and returns the record.
func (tr *traffic) end(t *testing.T) *history.History {
	t.Helper()
	select {
	case <-tr.stop:
	default:
		close(tr.stop)
	}
	tr.wait.Wait()
	return tr.recorded(t)
}

func (tr *traffic) recorded(t *testing.T) *history.History {
	t.Helper()
	h, err := tr.recorder.History()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// at begins the clients of one server.
func (tr *traffic) at(c *cluster, p *process) {
	reader, writer := tr.caller(p.name, c.connect(p.api)), tr.caller(writerPrefix+p.name, c.only(p))
	for _, class := range classes {
		tr.every(patience, func(ctx context.Context, i int) {
			ask := history.Ask{Asked: history.Asked{Freshness: class}, Sessionless: true}
			options := []client.ReadOption{client.OnEndpoint(p.api)}
			if class == candor.FreshnessStrong && i%2 == 1 && followersProve {
				options = append(options, client.WithFollowerReadIndex())
			}
			if i%8 >= 6 {
				_, _ = reader.List(ctx, candor.KindNamespaces, client.ListOptions{}, ask, options...)
				return
			}
			_, _, _ = reader.Get(ctx, candor.Ref{Kind: candor.KindNamespaces, Name: register(i / 2)}, ask, options...)
		})
	}
	tr.every(writePatience, func(ctx context.Context, i int) {
		_, _ = writer.Update(ctx, candor.KindNamespaces, registerHolding(i, fmt.Sprint(p.name, "-", i)))
	})
}

// hop begins the clients that hop. They read in all classes, and every fourth
// call writes.
func (tr *traffic) hop(c *cluster, servers ...*process) {
	for n := range hoppers {
		name := fmt.Sprint(hopperPrefix, n)
		caller := tr.caller(name, c.client())
		tr.every(hopPatience, func(ctx context.Context, i int) {
			if i%4 == 0 {
				_, _ = caller.Update(ctx, candor.KindNamespaces, registerHolding(i/4, fmt.Sprint(name, "-", i)))
				return
			}
			read := n + i - i/4 - 1
			ask := history.Ask{Asked: history.Asked{Freshness: classes[read/len(servers)%len(classes)]}}
			at := client.OnEndpoint(servers[read%len(servers)].api)
			_, _, _ = caller.Get(ctx, candor.Ref{Kind: candor.KindNamespaces, Name: register(i)}, ask, at)
		})
	}
}

// every calls call at the pace until the end. What came of it is in the record.
func (tr *traffic) every(within time.Duration, call func(ctx context.Context, i int)) {
	tr.wait.Go(func() {
		ticker := time.NewTicker(pace)
		defer ticker.Stop()
		for i := 0; ; i++ {
			select {
			case <-tr.stop:
				return
			case <-ticker.C:
			}
			ctx, cancel := context.WithTimeout(context.Background(), within)
			call(ctx, i)
			cancel()
		}
	})
}

// only is a client that reaches one server and none of those that it is told of.
func (c *cluster) only(p *process) *client.Client {
	c.t.Helper()
	return dialled(c.t, client.Config{Endpoints: []string{p.api}, Dialer: func(ctx context.Context, address string) (net.Conn, error) {
		if address != p.api {
			return nil, fmt.Errorf("this client reaches %s alone", p.name)
		}
		return c.links.client(ctx, address)
	}})
}
