package replica

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
)

// node is one server of a test cluster. Its memory outlives its replicas.
type node struct {
	cluster *cluster
	id      string
	address raft.ServerAddress
	memory  *Memory
	disk    *slowDisk

	mu      sync.Mutex
	current *Replica
	fatal   error
}

func (n *node) replica() *Replica {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.current
}

func (n *node) died() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.fatal
}

// slowDisk stops or fails the log writes of one server.
type slowDisk struct {
	mu   sync.Mutex
	hang chan struct{}
	fail error
}

// stop makes log writes wait until the returned function is called.
func (d *slowDisk) stop() (release func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	hang := make(chan struct{})
	d.hang = hang
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.hang = nil
		close(hang)
	}
}

func (d *slowDisk) failWith(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = err
}

type slowLog struct {
	raft.LogStore
	disk *slowDisk
}

func (l *slowLog) StoreLog(log *raft.Log) error { return l.StoreLogs([]*raft.Log{log}) }

func (l *slowLog) StoreLogs(logs []*raft.Log) error {
	l.disk.mu.Lock()
	hang, fail := l.disk.hang, l.disk.fail
	l.disk.mu.Unlock()
	if hang != nil {
		<-hang
	}
	if fail != nil {
		return fail
	}
	return l.LogStore.StoreLogs(logs)
}

// cluster is a few replicas in one process, in virtual time.
type cluster struct {
	t        testing.TB
	net      *network
	settings Settings

	mu    sync.Mutex
	nodes []*node
}

func testSettings() Settings {
	s := Default()
	s.LogCacheBytes = 1 << 20
	return s
}

// seeds is how many seeds a random test runs: the race detector, which is told to be short,
// sees as much in two of them.
func seeds() uint64 {
	if testing.Short() {
		return 2
	}
	return 6
}

// newCluster starts n servers and bootstraps them; it must run inside a bubble.
func newCluster(t testing.TB, n int, tune ...func(*Settings)) *cluster {
	t.Helper()
	c := &cluster{t: t, net: newNetwork(), settings: testSettings()}
	for _, f := range tune {
		f(&c.settings)
	}
	var servers []raft.Server
	for range n {
		x := c.add()
		servers = append(servers, raft.Server{ID: raft.ServerID(x.id), Address: x.address})
	}
	for _, x := range c.nodes {
		c.start(x)
		if err := x.replica().Bootstrap(servers); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(c.close)
	return c
}

func (c *cluster) add() *node {
	i := len(c.nodes) + 1
	n := &node{cluster: c, id: fmt.Sprintf("s%d", i), address: raft.ServerAddress(fmt.Sprintf("a%d", i)), memory: NewMemory(), disk: &slowDisk{}}
	c.mu.Lock()
	c.nodes = append(c.nodes, n)
	c.mu.Unlock()
	c.net.mu.Lock()
	c.net.nodes[n.address] = n
	c.net.mu.Unlock()
	return n
}

// members are the nodes so far, for goroutines beside the test's.
func (c *cluster) members() []*node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nodes
}

func (c *cluster) start(n *node) *Replica {
	c.t.Helper()
	_, trans := raft.NewInmemTransportWithTimeout(n.address, c.net.timeout)
	r, err := New(Config{
		Memory: n.memory, ServerID: n.id, Machine: fsm.New(fsm.Config{ClusterID: "c1"}),
		Transport: &link{trans, c.net}, Peers: &testPeers{net: c.net, self: n.address}, Settings: c.settings,
		WrapLogStore: func(s raft.LogStore) raft.LogStore { return &slowLog{s, n.disk} },
		Clock:        RuntimeClock(), Logger: hclog.NewNullLogger(),
		OnFatal: func(err error) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.fatal = err
		},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	trans.Connect(n.address, trans)
	for _, other := range c.nodes {
		if x := other.replica(); x != nil && other != n {
			there := x.transport.(*link).InmemTransport
			trans.Connect(other.address, there)
			there.Connect(n.address, trans)
		}
	}
	n.mu.Lock()
	n.current = r
	n.mu.Unlock()
	return r
}

// take is a server that somebody else stops; nil when it has stopped.
func (n *node) take() *Replica {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := n.current
	n.current = nil
	return r
}

func (c *cluster) stop(n *node, graceful bool) {
	c.t.Helper()
	r := n.take()
	if r == nil {
		return
	}
	if !graceful {
		if err := r.Kill(); err != nil {
			c.t.Errorf("kill %s: %v", n.id, err)
		}
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := r.Close(ctx); err != nil {
		c.t.Errorf("close %s: %v", n.id, err)
	}
}

func (c *cluster) close() {
	c.net.heal()
	for _, n := range c.nodes {
		c.stop(n, true)
	}
	// raft leaves calls under way to end by themselves.
	time.Sleep(20 * c.net.timeout)
}

// until polls a condition in virtual time.
func (c *cluster) until(what string, limit time.Duration, condition func() bool) {
	c.t.Helper()
	for began := time.Now(); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > limit {
			c.t.Fatalf("after %s: not %s", limit, what)
		}
	}
}

// leader waits for one, apart from those excluded.
func (c *cluster) leader(except ...*node) *node {
	c.t.Helper()
	var found *node
	c.until("a leader", 20*time.Second, func() bool {
		found = nil
		for _, n := range c.nodes {
			excluded := false
			for _, x := range except {
				excluded = excluded || x == n
			}
			if r := n.replica(); r != nil && !excluded && r.Leading() && (found == nil || r.raft.CurrentTerm() > found.replica().raft.CurrentTerm()) {
				found = n
			}
		}
		return found != nil
	})
	return found
}

func (c *cluster) follower() *node {
	c.t.Helper()
	leader := c.leader()
	for _, n := range c.nodes {
		if n != leader && n.replica() != nil {
			return n
		}
	}
	c.t.Fatal("no follower")
	return nil
}

// create is the command that creates a namespace of a name.
func create(name string) []byte {
	return command.AppendCommand(nil, &command.Command{
		Type: command.TypeWrite, Actor: "test",
		Then: []command.Operation{{Verb: command.VerbCreate, Kind: candor.KindNamespaces, KindRevision: 1, Object: &candor.Object{
			APIVersion: "candor/v1", Kind: "Namespace", Spec: []byte("{}"), Metadata: candor.Metadata{Name: name, UID: "uid-" + name},
		}}},
	})
}

func propose(r *Replica, name string, limit time.Duration) (fsm.Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return r.Propose(ctx, Proposal{Command: create(name)})
}

func (c *cluster) mustPropose(n *node, name string) candor.Token {
	c.t.Helper()
	result, err := propose(n.replica(), name, 5*time.Second)
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		c.t.Fatalf("propose %s on %s: %v", name, n.id, err)
	}
	return result.Token
}

// has says whether a node's view shows the namespace.
func has(n *node, name string) bool {
	v, err := n.replica().machine.View().Get(candor.Ref{Kind: candor.KindNamespaces, Name: name}, 0)
	return err == nil && v != nil
}

func (c *cluster) converged(name string) {
	c.t.Helper()
	c.until("every view shows "+name, 20*time.Second, func() bool {
		for _, n := range c.nodes {
			if n.replica() != nil && !has(n, name) {
				return false
			}
		}
		return true
	})
	c.sameDigests()
}

// sameDigests checks that no two servers differ at an index that both have.
func (c *cluster) sameDigests() {
	c.t.Helper()
	at := map[uint64]fsm.Digest{}
	for _, n := range c.nodes {
		if n.replica() == nil {
			continue
		}
		for _, d := range n.replica().machine.Digests(0) {
			if before, ok := at[d.Index]; ok && before != d.Digest {
				c.t.Fatalf("digests differ at index %d", d.Index)
			}
			at[d.Index] = d.Digest
		}
	}
}

func wantReason(t testing.TB, err error, want ...candor.Reason) {
	t.Helper()
	for _, reason := range want {
		if candor.ReasonOf(err) == reason {
			return
		}
	}
	t.Fatalf("error %v: want one of %v", err, want)
}
