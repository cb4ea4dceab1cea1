package integration

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// TestAcknowledgedWritesSurviveKilledServers: ten writers create objects while
// servers are killed, the leader every other time. What was acknowledged is
// there at its revision, and a watcher saw it once and in order; then again
// after all servers were killed at once.
func TestAcknowledgedWritesSurviveKilledServers(t *testing.T) {
	kills := 20
	if testing.Short() {
		kills = 6
	}
	c := start(t, 3)
	k := c.client()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	create(ctx, t, k, "first")
	watch, err := k.Watch(ctx, client.WatchOptions{Kind: candor.KindNamespaces, AfterRevision: 1, Read: []client.ReadOption{client.WithFreshness(candor.FreshnessBestEffort)}})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	var mu sync.Mutex
	acked := map[string]uint64{}
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for w := range 10 {
		mine := c.client()
		writers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				name := fmt.Sprintf("w%d-%d", w, i)
				if result, err := mine.Create(ctx, object(name)); err == nil {
					mu.Lock()
					acked[name] = result.Object.Metadata.ResourceVersion
					mu.Unlock()
				}
			}
		})
	}
	for i := range kills {
		victim := c.servers[i%len(c.servers)]
		if status, err := k.Cluster().Status(ctx); i%2 == 0 && err == nil && status.Leader != nil {
			for _, p := range c.servers {
				if p.name == status.Leader.Name {
					victim = p
				}
			}
		}
		victim.kill()
		create(ctx, t, k, fmt.Sprintf("without-%d", i))
		victim.begin(t)
		c.answers(ctx, k, victim)
	}
	close(stop)
	writers.Wait()
	last := create(ctx, t, k, "last")
	seen, newest := map[string]uint64{}, uint64(0)
	for watch.Revision() < last {
		batch, err := watch.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range batch.Events {
			name := e.Object.Metadata.Name
			if seen[name] != 0 || e.Revision < newest {
				t.Errorf("event %s at %d, seen at %d, newest %d", name, e.Revision, seen[name], newest)
			}
			seen[name], newest = e.Revision, e.Revision
		}
	}
	check(ctx, t, k, acked, seen)
	for _, p := range c.servers {
		p.kill()
	}
	for _, p := range c.servers {
		p.begin(t)
	}
	check(ctx, t, k, acked, seen)
	c.sameDigests(ctx, k)
	t.Logf("%d kills, %d acknowledged writes", kills, len(acked))
}

func object(name string) *candor.Object {
	return &candor.Object{APIVersion: "candor/v1", Kind: "Namespace", Metadata: candor.Metadata{Name: name}, Spec: []byte("{}")}
}

func create(ctx context.Context, t *testing.T, k *client.Client, name string) uint64 {
	t.Helper()
	result, err := k.Create(ctx, object(name), client.WithRequestID("create-"+name))
	if err != nil {
		t.Fatal(err)
	}
	return result.Object.Metadata.ResourceVersion
}

// answers waits until a server serves a view of its own again.
func (c *cluster) answers(ctx context.Context, k *client.Client, p *process) {
	c.t.Helper()
	for {
		status, err := k.Cluster().Status(ctx, client.OnEndpoint(p.api))
		if err == nil && status.Applied.Index > 0 && status.Leader != nil {
			return
		}
		if ctx.Err() != nil {
			c.t.Fatalf("%s does not answer: %v", p.name, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func check(ctx context.Context, t *testing.T, k *client.Client, acked, seen map[string]uint64) {
	t.Helper()
	stored := map[string]uint64{}
	for o, err := range k.All(ctx, candor.KindNamespaces, client.ListOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		stored[o.Metadata.Name] = o.Metadata.ResourceVersion
	}
	for name, revision := range acked {
		if stored[name] != revision || seen[name] != revision {
			t.Errorf("%s acknowledged at %d: stored at %d, watched at %d", name, revision, stored[name], seen[name])
		}
	}
	if len(acked) == 0 {
		t.Error("nothing was acknowledged")
	}
}

// sameDigests compares what all servers say of the indexes that they share, of
// which there must be one.
func (c *cluster) sameDigests(ctx context.Context, k *client.Client) {
	c.t.Helper()
	for shared := 0; shared == 0; time.Sleep(20 * time.Millisecond) {
		count, digests := map[uint64]int{}, map[uint64][]byte{}
		for _, p := range c.servers {
			told, err := k.Diagnostics(p.api).Digests(ctx, 0)
			if err != nil && ctx.Err() != nil {
				c.t.Fatal(err)
			}
			for _, d := range told {
				if known := digests[d.Index]; known != nil && !bytes.Equal(known, d.Digest) {
					c.t.Fatalf("%s differs at index %d", p.name, d.Index)
				}
				digests[d.Index] = d.Digest
				if count[d.Index]++; count[d.Index] == len(c.servers) {
					shared++
				}
			}
		}
		if ctx.Err() != nil {
			c.t.Fatal("the servers share no index")
		}
	}
}
