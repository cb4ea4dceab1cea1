package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/worker"
)

// cluster is what a fleet sees of one: it keeps what it is told.
type cluster struct {
	mu        sync.Mutex
	nodes     map[string]*candor.Object
	instances []*candor.Object
	events    chan candor.Event
	seen      map[string][]candor.InstanceObserved
	calls     int // of heartbeats
	beats     int
	refuse    func(client.Beat) *candor.Error
	deleted   int
	renewed   string // is in the UID of a node that is registered from now on
}

func newCluster() *cluster {
	return &cluster{nodes: map[string]*candor.Object{}, events: make(chan candor.Event, 10_000), seen: map[string][]candor.InstanceObserved{}}
}

func (c *cluster) RegisterNodes(_ context.Context, nodes []client.NodeRegistration) ([]client.RegisteredNode, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []client.RegisteredNode
	for i := range nodes {
		n := &candor.Object{Metadata: candor.Metadata{Name: nodes[i].Name, UID: "uid-" + c.renewed + nodes[i].Name, Labels: nodes[i].Labels}, Observed: encode(nodes[i].Observed)}
		c.nodes[nodes[i].Name] = n
		out = append(out, client.RegisteredNode{Node: n, DetectWithin: 15 * time.Second, HeartbeatInterval: 5 * time.Second})
	}
	return out, nil
}

func (c *cluster) Heartbeat(_ context.Context, beats []client.Beat) (client.Heartbeats, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	c.beats += len(beats)
	out := client.Heartbeats{Refused: make([]*candor.Error, len(beats))}
	for i := range beats {
		if c.refuse != nil {
			out.Refused[i] = c.refuse(beats[i])
		}
	}
	return out, nil
}

func (c *cluster) Get(_ context.Context, ref candor.Ref, _ ...client.ReadOption) (*candor.Object, candor.Witness, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nodes[ref.Name], candor.Witness{}, nil
}

func (c *cluster) List(context.Context, string, string) (*client.Page, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &client.Page{Objects: c.instances, Revision: 1}, nil
}

func (c *cluster) Watch(context.Context, string, uint64) (worker.Events, error) { return c, nil }

func (c *cluster) Next(ctx context.Context) (client.WatchBatch, error) {
	select {
	case e := <-c.events:
		return client.WatchBatch{Events: []candor.Event{e}}, nil
	case <-ctx.Done():
		return client.WatchBatch{}, ctx.Err()
	}
}

func (c *cluster) Close() error { return nil }

func (c *cluster) Observe(_ context.Context, _ candor.Ref, uid string, observed candor.InstanceObserved) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[uid] = append(c.seen[uid], observed)
	return nil
}

func (c *cluster) Delete(_ context.Context, ref candor.Ref, _ ...client.WriteOption) (client.Result, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.nodes, ref.Name)
	c.deleted++
	return client.Result{}, nil
}

func (c *cluster) last(uid string) candor.InstanceObserved {
	c.mu.Lock()
	defer c.mu.Unlock()
	if seen := c.seen[uid]; len(seen) > 0 {
		return seen[len(seen)-1]
	}
	return candor.InstanceObserved{}
}

func encode(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}

func placed(uid, node string, restart candor.RestartPolicy) *candor.Object {
	return &candor.Object{
		Metadata: candor.Metadata{Name: uid, Namespace: "team", UID: uid},
		Spec:     encode(candor.InstanceSpec{InstanceTemplate: candor.InstanceTemplate{Restart: restart}}),
		Status:   encode(candor.InstanceStatus{Phase: candor.InstancePlaced, Node: node, NodeUID: "uid-" + node}),
	}
}

// play runs a fleet in virtual time; act sees it registered, and its end ends it.
func play(t *testing.T, edit func(*Config), act func(c *cluster, f *Fleet)) error {
	t.Helper()
	var result error
	synctest.Test(t, func(t *testing.T) {
		c := newCluster()
		config := Config{Count: 600, Nodes: c, Instances: c, Deleter: c, Logger: hclog.NewNullLogger(), StartDelay: time.Second}
		if edit != nil {
			edit(&config)
		}
		f, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- f.Run(ctx) }()
		synctest.Wait()
		act(c, f)
		cancel()
		result = <-ended
	})
	return result
}

func (c *cluster) say(o *candor.Object, kind candor.EventType) {
	c.events <- candor.Event{Type: kind, Object: o}
}

func TestEveryNodeIsRegisteredOverItsZonesAndLivesByFewRequests(t *testing.T) {
	err := play(t, nil, func(c *cluster, _ *Fleet) {
		time.Sleep(time.Minute)
		c.mu.Lock()
		defer c.mu.Unlock()
		zones := map[string]int{}
		for _, n := range c.nodes {
			zones[n.Metadata.Labels[candor.LabelZone]]++
		}
		if len(c.nodes) != 600 || len(zones) != 3 || zones["zone-1"] != 200 || c.nodes["sim-0600"] == nil {
			t.Errorf("%d nodes, %v", len(c.nodes), zones)
		}
		if c.beats < 600*11 || c.calls > 15 {
			t.Errorf("%d beats in %d requests in a minute", c.beats, c.calls)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

func TestInstancesStartRunAndEndWhenTheyAreAskedTo(t *testing.T) {
	_ = play(t, nil, func(c *cluster, f *Fleet) {
		for n := range 1000 {
			c.say(placed(fmt.Sprintf("i%d", n), fmt.Sprintf("sim-%04d", n%600+1), ""), candor.EventAdded)
		}
		synctest.Wait()
		if o := c.last("i7"); o.State != candor.ProcessStarting || o.Ready {
			t.Errorf("%+v", o)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if o := c.last("i7"); o.State != candor.ProcessRunning || !o.Ready || o.Session != f.session.ID() {
			t.Errorf("%+v", o)
		}
		if n, running := f.Count(); n != 1000 || running != 1000 {
			t.Errorf("%d of %d run", running, n)
		}
		o := placed("i7", "sim-0008", "")
		o.Metadata.DeletionTime = time.Now()
		c.say(o, candor.EventModified)
		synctest.Wait()
		if o := c.last("i7"); o.State != candor.ProcessExited || *o.ExitCode != exitStopped {
			t.Errorf("%+v", o)
		}
		c.say(o, candor.EventDeleted)
		synctest.Wait()
		if n, running := f.Count(); n != 999 || running != 999 {
			t.Errorf("%d of %d run", running, n)
		}
	})
}

func TestInstancesOfOtherNodesAreLeftAlone(t *testing.T) {
	_ = play(t, nil, func(c *cluster, f *Fleet) {
		c.say(placed("other", "w1", ""), candor.EventAdded)
		before := placed("before", "sim-0001", "")
		before.Status = encode(candor.InstanceStatus{Node: "sim-0001", NodeUID: "uid-of-one-before"})
		c.say(before, candor.EventAdded)
		time.Sleep(time.Minute)
		if n, _ := f.Count(); n != 0 || len(c.seen) != 0 {
			t.Errorf("%d instances, %v", n, c.seen)
		}
	})
}

// TestWhatWasPlacedBeforeTheNodesNewUIDWasKnownIsPlayed: the answer to a registration
// comes after the placement on the node that it made.
func TestWhatWasPlacedBeforeTheNodesNewUIDWasKnownIsPlayed(t *testing.T) {
	_ = play(t, func(c *Config) { c.Count = 1 }, func(c *cluster, f *Fleet) {
		early := placed("early", "sim-0001", "")
		early.Status = encode(candor.InstanceStatus{Phase: candor.InstancePlaced, Node: "sim-0001", NodeUID: "uid-new-sim-0001"})
		gone := *early
		gone.Metadata.UID = "gone"
		c.say(early, candor.EventAdded)
		c.say(&gone, candor.EventAdded)
		c.say(&gone, candor.EventDeleted)
		synctest.Wait()
		if n, _ := f.Count(); n != 0 {
			t.Errorf("%d instances of a node that the fleet does not have", n)
		}
		c.mu.Lock()
		c.renewed = "new-"
		c.nodes["sim-0001"].Observed = nil
		c.refuse = func(b client.Beat) *candor.Error {
			if b.UID != "uid-new-sim-0001" {
				return candor.Errorf(candor.ReasonNotFound, "no such node")
			}
			return nil
		}
		c.mu.Unlock()
		time.Sleep(10 * time.Second)
		if n, running := f.Count(); n != 1 || running != 1 {
			t.Errorf("%d of %d run, want the one", running, n)
		}
	})
}

func TestSomeFailAndAreStartedAgainUnlessTheirPolicyForbids(t *testing.T) {
	_ = play(t, func(c *Config) { c.FailEvery = 1 }, func(c *cluster, _ *Fleet) {
		c.say(placed("always", "sim-0001", candor.RestartAlways), candor.EventAdded)
		c.say(placed("never", "sim-0001", candor.RestartNever), candor.EventAdded)
		time.Sleep(time.Second + failsAfter + 10*time.Millisecond)
		synctest.Wait()
		if o := c.last("always"); o.State != candor.ProcessWaiting || o.Restarts != 1 || *o.ExitCode != 1 {
			t.Errorf("%+v", o)
		}
		if o := c.last("never"); o.State != candor.ProcessExited || *o.ExitCode != 1 {
			t.Errorf("%+v", o)
		}
		time.Sleep(restartAfter + time.Second)
		synctest.Wait()
		if o := c.last("always"); o.State != candor.ProcessRunning {
			t.Errorf("%+v", o)
		}
	})
}

func TestANewFleetGoesOnWithWhatRan(t *testing.T) {
	started := time.Unix(1_800_000_000, 0).UTC()
	_ = play(t, nil, func(c *cluster, f *Fleet) {
		o := placed("ran", "sim-0001", "")
		o.Observed = encode(candor.InstanceObserved{State: candor.ProcessRunning, Ready: true, Session: "before", StartedAt: started})
		c.say(o, candor.EventAdded)
		synctest.Wait()
		if got := c.last("ran"); got.State != candor.ProcessRunning || got.Session != f.session.ID() || !got.StartedAt.Equal(started) {
			t.Errorf("%+v", got)
		}
	})
}

func TestAFleetWhoseNodesWereAllTakenOverEnds(t *testing.T) {
	err := play(t, func(c *Config) { c.Count = 3 }, func(c *cluster, _ *Fleet) {
		c.mu.Lock()
		for _, n := range c.nodes {
			n.Observed = encode(candor.NodeObserved{Session: "another"})
		}
		c.refuse = func(client.Beat) *candor.Error { return candor.Errorf(candor.ReasonConflict, "another has it") }
		c.mu.Unlock()
		time.Sleep(20 * time.Second)
	})
	if candor.ReasonOf(err) != candor.ReasonConflict {
		t.Errorf("%v", err)
	}
}

func TestCleanupRemovesTheNodesAndOnlyThen(t *testing.T) {
	for _, cleanup := range []bool{true, false} {
		var c *cluster
		err := play(t, func(config *Config) { config.Cleanup = cleanup }, func(x *cluster, _ *Fleet) { c = x; time.Sleep(time.Second) })
		if want := map[bool]int{true: 600, false: 0}[cleanup]; err != nil || c.deleted != want {
			t.Errorf("%d nodes were removed, want %d (%v)", c.deleted, want, err)
		}
	}
}

func TestWhatCannotBeAFleetIsRefused(t *testing.T) {
	c := newCluster()
	for name, edit := range map[string]func(*Config){
		"none": func(c *Config) { c.Count = 0 }, "too many": func(c *Config) { c.Count = mostNodes + 1 },
		"a name that is none": func(c *Config) { c.Prefix = "No Name" }, "a negative delay": func(c *Config) { c.StartDelay = -1 },
	} {
		config := Config{Count: 1, Nodes: c, Instances: c, Deleter: c, Logger: hclog.NewNullLogger()}
		edit(&config)
		if _, err := New(config); candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
