package servertest

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/replica"
)

// patience is how long the cluster may take for what it does by itself.
const patience = 30 * time.Second

// Cluster is a few servers in one process. Its methods are for the test's
// goroutine; they fail the test rather than return errors.
type Cluster struct {
	t       testing.TB
	options options
	network *network
	members []*member
}

type member struct {
	name string
	// config is what it was started with, but for what start adds.
	config server.Config
	server *server.Server
	ended  bool

	mu    sync.Mutex
	fatal error
}

func (m *member) died(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fatal = err
}

// Start starts a cluster, of three servers named n1, n2 and n3 unless told
// otherwise, and waits until it leads. The test's cleanup closes it.
func Start(t testing.TB, opts ...Option) *Cluster {
	t.Helper()
	c := &Cluster{t: t, options: defaults(), network: newNetwork()}
	for _, o := range opts {
		o(&c.options)
	}
	t.Cleanup(c.close)
	var initial []server.InitialMember
	for i := range c.options.servers {
		name := nameOf(i)
		initial = append(initial, server.InitialMember{Name: name, RaftAddress: name + raftSuffix, APIAddress: name})
	}
	for _, m := range initial {
		c.start(m.Name, server.Config{InitialCluster: initial})
	}
	c.Settle()
	c.prove()
	return c
}

// prove waits for the first proof of every view. Whatever a test has put in the
// way of proofs may make it wait in vain.
func (c *Cluster) prove() {
	for began := time.Now(); time.Since(began) < time.Second; time.Sleep(5 * time.Millisecond) {
		unproven := func(m *member) bool { return m.server.Condition().CatchUp != candor.CatchUpFresh }
		if !slices.ContainsFunc(c.live(), unproven) {
			return
		}
	}
}

func nameOf(i int) string { return fmt.Sprintf("n%d", i+1) }

func (c *Cluster) start(name string, config server.Config) *member {
	c.t.Helper()
	m := &member{name: name, config: config}
	c.must(c.run(m))
	c.members = append(c.members, m)
	return m
}

// must fails the test for a server that does not start.
func (c *Cluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// run starts a member's server.
func (c *Cluster) run(m *member) error {
	name, config := m.name, m.config
	config.Name, config.Version, config.API, config.Raft = name, "test", name, name+raftSuffix
	config.Duties = c.options.duties
	config.Settings, config.RetainRevisions, config.Logger = c.options.settings, c.options.retain, c.options.logger.Named(name)
	config.Freshness, config.Tracing = c.options.freshness, c.options.tracing
	if c.options.data != "" {
		config.Data = filepath.Join(c.options.data, name)
	}
	config.Seams = server.Seams{
		Clock: replica.RuntimeClock(), NoGossip: true, OnFatal: m.died,
		Transport: func(string) (raft.Transport, raft.ServerAddress, error) {
			return c.network.connect(name), raft.ServerAddress(name + raftSuffix), nil
		},
		Listen: func(address string) (net.Listener, error) { return c.network.listen(address), nil },
		Dial: func(ctx context.Context, to string) (net.Conn, error) {
			return c.network.dial(ctx, name, to)
		},
	}
	for _, change := range c.options.changes[name] {
		change(&config)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := server.Start(ctx, config)
	if err != nil {
		return fmt.Errorf("start server %s: %w", name, err)
	}
	m.server = s
	return nil
}

// AddServer starts one more server, which joins as a non-voter, and waits until
// the cluster knows it. Promote it over the API.
func (c *Cluster) AddServer() *server.Server {
	c.t.Helper()
	var seeds []string
	for _, m := range c.live() {
		seeds = append(seeds, m.name)
	}
	m := c.start(nameOf(len(c.members)), server.Config{Join: seeds})
	c.Settle()
	return m.server
}

// Server is the i-th server, from 0, stopped or not.
func (c *Cluster) Server(i int) *server.Server {
	c.t.Helper()
	if i < 0 || i >= len(c.members) {
		c.t.Fatalf("server %d of %d", i, len(c.members))
	}
	return c.members[i].server
}

// Servers are those that run.
func (c *Cluster) Servers() []*server.Server {
	var out []*server.Server
	for _, m := range c.live() {
		out = append(out, m.server)
	}
	return out
}

func (c *Cluster) live() []*member {
	var out []*member
	for _, m := range c.members {
		if !m.ended {
			out = append(out, m)
		}
	}
	return out
}

func (c *Cluster) member(name string) *member {
	c.t.Helper()
	for _, m := range c.members {
		if m.name == name {
			return m
		}
	}
	c.t.Fatalf("no server is named %s", name)
	return nil
}

// Leader waits for a running server that leads, apart from those named, and
// returns the one of the highest term. An isolated leader may believe in itself
// for a while: name it to wait for its successor.
func (c *Cluster) Leader(except ...string) *server.Server {
	c.t.Helper()
	excluded := map[string]bool{}
	for _, name := range except {
		excluded[name] = true
	}
	var found *server.Server
	c.Until("a server leads", func() bool {
		var term uint64
		found = nil
		for _, m := range c.live() {
			status := m.server.Replica().Status()
			if !excluded[m.name] && status.Leading && status.Term > term {
				found, term = m.server, status.Term
			}
		}
		return found != nil
	})
	return found
}

// Follower is a running server that does not lead.
func (c *Cluster) Follower() *server.Server {
	c.t.Helper()
	leader := c.Leader()
	for _, s := range c.Servers() {
		if s != leader {
			return s
		}
	}
	c.t.Fatal("no server follows")
	return nil
}

// Settle waits until one server leads and every running server is known to the
// views of all.
func (c *Cluster) Settle() {
	c.t.Helper()
	c.Leader()
	c.Until("every server is known to all", func() bool {
		for _, m := range c.live() {
			known := map[string]bool{}
			for _, listed := range m.server.Machine().View().Members() {
				known[listed.Name] = true
			}
			for _, other := range c.live() {
				if !known[other.name] {
					return false
				}
			}
		}
		return true
	})
}

// Until polls a condition and fails the test when it stays false.
func (c *Cluster) Until(what string, condition func() bool) {
	c.t.Helper()
	for began := time.Now(); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > patience {
			c.t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// Client returns a client over the servers named, or over all that run.
func (c *Cluster) Client(t testing.TB, endpoints ...string) *client.Client {
	t.Helper()
	if len(endpoints) == 0 {
		for _, m := range c.live() {
			endpoints = append(endpoints, m.name)
		}
	}
	k, err := client.New(client.Config{Endpoints: endpoints, Actor: "test", Dialer: c.Dialer()})
	if err != nil {
		t.Fatalf("client: %v", err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Errorf("close client: %v", err)
		}
	})
	return k
}

// Dialer reaches the servers by their names, for clients of the test's own.
func (c *Cluster) Dialer() func(ctx context.Context, address string) (net.Conn, error) {
	return func(ctx context.Context, to string) (net.Conn, error) {
		return c.network.dial(ctx, clientName, to)
	}
}

// Cut loses what from sends to to, of raft and of gRPC, until Heal. Names are
// the servers', and "client" for all clients.
func (c *Cluster) Cut(from, to string) { c.network.cut(from, to) }

// Isolate cuts a server off all others, both ways; clients still reach it.
func (c *Cluster) Isolate(name string) {
	for _, m := range c.members {
		if m.name != name {
			c.network.cut(name, m.name)
			c.network.cut(m.name, name)
		}
	}
}

// Silence cuts a server off all others and all clients, as a process that is
// stopped is, until Heal. What it was sent and what it says meanwhile arrives
// late, but for raft's own messages, which are lost.
func (c *Cluster) Silence(name string) {
	c.Isolate(name)
	c.network.cut(name, clientName)
	c.network.cut(clientName, name)
}

// Starve loses the entries and snapshots that are sent to a server, and nothing
// else, until Heal: it hears its leader, and falls behind.
func (c *Cluster) Starve(name string) { c.network.starve(name) }

// Slow has each message from one to the other take its time, until Heal; later
// ones wait for it.
func (c *Cluster) Slow(from, to string, by time.Duration) { c.network.slow(from, to, by) }

// Heal mends every link.
func (c *Cluster) Heal() { c.network.heal() }

// Stop ends a server gracefully.
func (c *Cluster) Stop(name string) {
	c.t.Helper()
	m := c.member(name)
	m.ended = true
	if err := m.server.Close(); err != nil {
		c.t.Errorf("stop %s: %v", name, err)
	}
	c.network.lose(name)
}

// Kill ends a server as a crash would: its connections break, nothing is handed
// over, and what it had not sent is lost.
func (c *Cluster) Kill(name string) {
	c.t.Helper()
	m := c.member(name)
	m.ended = true
	c.network.lose(name)
	// What a killed server says of its own end is of no interest.
	_ = m.server.Replica().Kill()
	_ = m.server.Close()
}

// Restart starts a server again that was stopped or killed, on its data (see
// WithData). It does not wait until the server has caught up.
func (c *Cluster) Restart(name string) *server.Server {
	c.t.Helper()
	m := c.member(name)
	if !m.ended || c.options.data == "" {
		c.t.Fatalf("restart %s: want a server that has ended, with data", name)
	}
	c.network.revive(name)
	c.must(c.run(m))
	m.ended = false
	return m.server
}

func (c *Cluster) close() {
	c.network.heal()
	for _, m := range c.live() {
		m.mu.Lock()
		if m.fatal != nil {
			c.t.Errorf("server %s could not go on: %v", m.name, m.fatal)
		}
		m.mu.Unlock()
	}
	// All at once: the last of a cluster has nobody to hand over to.
	var wait sync.WaitGroup
	for _, m := range c.live() {
		wait.Go(func() {
			if err := m.server.Close(); err != nil {
				c.t.Errorf("close %s: %v", m.name, err)
			}
		})
	}
	wait.Wait()
	c.network.underway.Wait()
}
