package coordinator_test

import (
	"context"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator"
	"github.com/candor-plane/candor/fsm/tenure"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a root that nodes share: the real tenures, one log, one clock.
type world struct {
	t *testing.T

	mu       sync.Mutex
	lineages map[string]tenure.Lineage
	changed  chan struct{}
	leader   string
	term     uint64
	turned   chan struct{}
	began    time.Time
	nodes    map[string]*node
	// renewed counts the renewals of each moment since the world began.
	renewed map[time.Duration]int
}

func newWorld(t *testing.T, names ...string) *world {
	w := &world{t: t, lineages: map[string]tenure.Lineage{}, changed: make(chan struct{}), turned: make(chan struct{}), began: time.Now(), nodes: map[string]*node{}, renewed: map[time.Duration]int{}}
	for _, name := range names {
		w.nodes[name] = &node{w: w, name: "server/" + name}
	}
	return w
}

// elect makes a node the leader; none with an empty name.
func (w *world) elect(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leader = ""
	if name != "" {
		w.leader, w.term = "server/"+name, w.term+1
	}
	close(w.turned)
	w.turned = make(chan struct{})
}

func (w *world) lineage(duty string) tenure.Lineage {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lineages[duty]
}

// until waits for a condition, in virtual time.
func (w *world) until(what string, is func() bool) {
	w.t.Helper()
	for range 60_000 {
		if is() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	w.t.Fatalf("not within a minute: %s", what)
}

// held waits until a node acts under a duty, and returns the era.
func (w *world) held(duty, name string) uint64 {
	w.t.Helper()
	n := w.nodes[name]
	w.until(name+" holds "+duty, func() bool { return n.acts(duty) })
	return w.lineage(duty).Current.Number
}

// node is one node's view of the world. A node that is cut off sees what it saw.
type node struct {
	w    *world
	name string

	coordinator *coordinator.Coordinator

	mu  sync.Mutex
	cut bool
	// at are the lineages when it was cut off.
	at     map[string]tenure.Lineage
	leader string
}

func (n *node) start(t *testing.T, duties ...coordinator.Duty) {
	t.Helper()
	c, err := coordinator.New(coordinator.Config{Root: n, Node: n, Duties: duties, Settings: coordinator.Defaults(), Logger: hclog.NewNullLogger()})
	if err != nil {
		t.Fatal(err)
	}
	n.coordinator = c
	t.Cleanup(n.stop)
}

func (n *node) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	n.coordinator.Close(ctx)
}

// cutOff parts the node from the others; nothing of it reaches the root.
func (n *node) cutOff(cut bool) {
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut, n.leader, n.at = cut, n.w.leader, maps.Clone(n.w.lineages)
	if !cut {
		close(n.w.changed)
		n.w.changed = make(chan struct{})
	}
}

func (n *node) acts(duty string) bool {
	for _, s := range n.coordinator.Status() {
		if s.Duty == duty {
			return s.Acting
		}
	}
	return false
}

func (n *node) Tenure(duty tenure.Duty) (tenure.Lineage, <-chan struct{}) {
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	l, known := n.w.lineages[duty.Name]
	if n.cut {
		l, known = n.at[duty.Name]
	}
	if !known {
		l = tenure.New(duty)
	}
	return l, n.w.changed
}

func (n *node) Propose(ctx context.Context, duty tenure.Duty, event tenure.Event) error {
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cut || n.w.leader == "" || ctx.Err() != nil {
		return candor.Errorf(candor.ReasonNotLeader, "nobody takes it")
	}
	before, known := n.w.lineages[duty.Name]
	if !known {
		before = tenure.New(duty)
	}
	after, err := before.Apply(n.w.now(), event)
	if err != nil {
		return err
	}
	if v := tenure.Check(before, after); v != nil {
		n.w.t.Errorf("%s", v)
	}
	n.w.lineages[duty.Name] = after
	if _, renews := event.(tenure.Renew); renews {
		n.w.renewed[time.Since(n.w.began)]++
	}
	if tenure.Compare(before, after) == tenure.Shown {
		close(n.w.changed)
		n.w.changed = make(chan struct{})
	}
	return nil
}

func (w *world) now() tenure.Now {
	return tenure.Now{ClusterTime: int64(time.Since(w.began)), Term: w.term, Leader: w.leader}
}

func (n *node) Holder() string { return n.name }

func (n *node) Leadership() (string, <-chan struct{}) {
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cut {
		return n.leader, n.w.turned
	}
	return n.w.leader, n.w.turned
}

func (n *node) Now() tenure.Now {
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	return n.w.now()
}

func (n *node) Elapsed() time.Duration { return time.Since(n.w.began) + time.Hour }

// work is a duty that does nothing, or what it is told to.
type work struct {
	name string
	run  func(ctx context.Context, g *coordinator.Grant) error
}

func (d *work) Name() string { return d.name }

func (d *work) Run(ctx context.Context, g *coordinator.Grant) error {
	if d.run != nil {
		return d.run(ctx, g)
	}
	<-ctx.Done()
	return nil
}
