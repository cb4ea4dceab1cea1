package integration

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

type cluster struct {
	t       *testing.T
	dir     string
	servers []*process
	// links is the network between the servers; nil is the machine's own.
	links *links
}

// start begins a cluster of n servers, n1, n2, and so on.
func start(t *testing.T, n int, flags ...string) *cluster {
	t.Helper()
	c := plan(t, n, flags...)
	c.begin()
	return c
}

// plan is a cluster whose servers have not begun.
func plan(t *testing.T, n int, flags ...string) *cluster {
	t.Helper()
	c := &cluster{t: t, dir: t.TempDir()}
	c.plan(n, flags...)
	return c
}

// plan adds the servers of a cluster that start together.
func (c *cluster) plan(n int, flags ...string) {
	c.t.Helper()
	var initial []string
	for range n {
		p := c.server(flags...)
		initial = append(initial, p.name+"="+p.api+"/"+p.raft)
	}
	for _, p := range c.servers {
		p.flags = append(p.flags, "--initial-cluster", strings.Join(initial, ","))
	}
}

func (c *cluster) server(flags ...string) *process {
	c.t.Helper()
	p := newProcess(c.t, c.dir, fmt.Sprintf("n%d", len(c.servers)+1), flags...)
	if c.links != nil {
		c.links.place(p)
	}
	c.servers = append(c.servers, p)
	return p
}

func (c *cluster) begin() {
	c.t.Helper()
	for _, p := range c.servers {
		p.begin(c.t)
	}
}

// join begins one more server, which asks the others to take it in.
func (c *cluster) join(flags ...string) *process {
	c.t.Helper()
	p := c.server(append([]string{"--join", strings.Join(c.addresses(), ",")}, flags...)...)
	p.begin(c.t)
	return p
}

func (c *cluster) addresses() []string {
	var out []string
	for _, p := range c.servers {
		out = append(out, p.api)
	}
	return out
}

func (c *cluster) client() *client.Client {
	c.t.Helper()
	return c.connect(c.addresses()...)
}

// connect is a client that knows these servers of the cluster.
func (c *cluster) connect(addresses ...string) *client.Client {
	c.t.Helper()
	if c.links == nil {
		return connect(c.t, addresses...)
	}
	return dialled(c.t, client.Config{Endpoints: addresses, Dialer: c.links.client})
}

func connect(t *testing.T, addresses ...string) *client.Client {
	t.Helper()
	return dialled(t, client.Config{Endpoints: addresses})
}

func dialled(t *testing.T, config client.Config) *client.Client {
	t.Helper()
	config.Actor = "test"
	k, err := client.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return k
}

// leader is the server that those of the newest term say leads.
func (c *cluster) leader(ctx context.Context, k *client.Client) *process {
	c.t.Helper()
	var leader *process
	until(ctx, c.t, "a leader", func() bool {
		var newest uint64
		for _, p := range c.servers {
			if p.child == nil {
				continue
			}
			short, cancel := context.WithTimeout(ctx, time.Second)
			status, err := k.Cluster().Status(short, client.OnEndpoint(p.api))
			cancel()
			if err == nil && status.Leader != nil && status.Term > newest {
				leader, newest = c.named(status.Leader.Name), status.Term
			}
		}
		return leader != nil
	})
	return leader
}

// lead makes a server the leader.
func (c *cluster) lead(ctx context.Context, k *client.Client, p *process) {
	c.t.Helper()
	until(ctx, c.t, p.name+" leads", func() bool {
		if c.leader(ctx, k) == p {
			return true
		}
		_, err := k.Cluster().TransferLeader(ctx, p.name)
		return err == nil
	})
}

func (c *cluster) named(name string) *process {
	for _, p := range c.servers {
		if p.name == name {
			return p
		}
	}
	return nil
}

// answers waits until a server serves a view of its own again.
func (c *cluster) answers(ctx context.Context, k *client.Client, p *process) {
	c.t.Helper()
	until(ctx, c.t, "an answer of "+p.name, func() bool {
		status, err := k.Cluster().Status(ctx, client.OnEndpoint(p.api))
		return err == nil && status.Applied.Index > 0 && status.Leader != nil
	})
}

// holds wants every acknowledged object at its revision.
func (c *cluster) holds(ctx context.Context, k *client.Client, acked map[string]uint64) {
	c.t.Helper()
	stored := map[string]uint64{}
	for o, err := range k.All(ctx, candor.KindNamespaces, client.ListOptions{}) {
		if err != nil {
			c.t.Fatal(err)
		}
		stored[o.Metadata.Name] = o.Metadata.ResourceVersion
	}
	for name, revision := range acked {
		if stored[name] != revision {
			c.t.Errorf("%s acknowledged at %d: stored at %d", name, revision, stored[name])
		}
	}
	if len(acked) == 0 {
		c.t.Error("nothing was acknowledged")
	}
}

// sameDigests compares what the servers say of the indexes that they share, of
// which there must be one that is no older than any of them is now.
func (c *cluster) sameDigests(ctx context.Context, k *client.Client, servers ...*process) {
	c.t.Helper()
	var newest uint64
	for _, p := range servers {
		status, err := k.Cluster().Status(ctx, client.OnEndpoint(p.api))
		if err != nil {
			c.t.Fatal(err)
		}
		newest = max(newest, status.Applied.Index)
	}
	until(ctx, c.t, fmt.Sprintf("an index from %d on that all servers share", newest), func() bool {
		count, digests, shared := map[uint64]int{}, map[uint64][]byte{}, false
		for _, p := range servers {
			told, err := k.Diagnostics(p.api).Digests(ctx, 0)
			if err != nil {
				return false
			}
			for _, d := range told {
				if known := digests[d.Index]; known != nil && !bytes.Equal(known, d.Digest) {
					c.t.Fatalf("%s differs at index %d", p.name, d.Index)
				}
				digests[d.Index] = d.Digest
				count[d.Index]++
				shared = shared || d.Index >= newest && count[d.Index] == len(servers)
			}
		}
		return shared
	})
}

// until polls a condition.
func until(ctx context.Context, t *testing.T, what string, condition func() bool) {
	t.Helper()
	for !condition() {
		if ctx.Err() != nil {
			t.Fatalf("%s: not in time", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
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
