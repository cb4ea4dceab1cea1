package servertest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server/servertest"
)

// fleet is nodes whose workers live in the test: they beat, and instances that are
// placed on them run, until Close or Cut.
type fleet struct {
	t      testing.TB
	client *client.Client
	cancel context.CancelFunc
	done   sync.WaitGroup

	// mayFail: what workers say may be lost, in which case they say it again.
	mayFail bool

	mu    sync.Mutex
	nodes map[string]client.Beat
	cut   map[string]bool
}

// startFleet registers so many nodes of 4 cores and 8Gi, in zones a and b in turn.
func startFleet(t testing.TB, c *servertest.Cluster, n int) *fleet {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	f := &fleet{t: t, client: c.Client(t), cancel: cancel, nodes: map[string]client.Beat{}, cut: map[string]bool{}}
	for i := range n {
		f.Add(fmt.Sprintf("w%d", i+1), map[string]string{candor.LabelZone: string(rune('a' + i%2))})
	}
	f.done.Go(func() { f.beat(ctx) })
	f.done.Go(func() { f.work(ctx) })
	t.Cleanup(f.Close)
	return f
}

// Add registers one more node.
func (f *fleet) Add(name string, labels map[string]string) {
	f.t.Helper()
	registered, err := f.client.RegisterNodes(f.t.Context(), []client.NodeRegistration{{
		Name: name, Labels: labels, Observed: candor.NodeObserved{Capacity: capacity(4, 8), Session: "first-" + name, Simulated: true},
	}})
	if err != nil || registered[0].Refused != nil {
		f.t.Fatal(err, registered[0].Refused)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.nodes[name] = client.Beat{Node: name, UID: registered[0].Node.Metadata.UID, Session: "first-" + name}
}

func capacity(cores, gigabytes int64) candor.Resources {
	return candor.Resources{{Name: candor.ResourceCPU, Value: cores * 1000}, {Name: candor.ResourceMemory, Value: gigabytes << 30}}
}

func (f *fleet) Close() {
	f.cancel()
	f.done.Wait()
}

// Cut silences the worker of a node: it beats no more, and reports nothing.
func (f *fleet) Cut(node string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cut[node] = true
}

func (f *fleet) speaks(node string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.cut[node]
}

// beat says that the nodes live as often as the answers ask for.
func (f *fleet) beat(ctx context.Context) {
	pause := time.Second // until somebody says
	for ctx.Err() == nil {
		f.mu.Lock()
		beats := make([]client.Beat, 0, len(f.nodes))
		for name, b := range f.nodes {
			if !f.cut[name] {
				beats = append(beats, b)
			}
		}
		f.mu.Unlock()
		if heard, err := f.client.Heartbeat(ctx, beats); err == nil && heard.HeartbeatInterval > 0 {
			pause = heard.HeartbeatInterval
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// Join ends the silence of a worker: it beats again, under another session where it was
// started anew.
func (f *fleet) Join(node, session string) {
	f.t.Helper()
	if session != "" {
		all := []client.NodeRegistration{{Name: node, Observed: candor.NodeObserved{Capacity: capacity(4, 8), Session: session, Simulated: true}}}
		registered, err := f.client.RegisterNodes(f.t.Context(), all)
		if err != nil || registered[0].Refused != nil {
			f.t.Fatal(err, registered[0].Refused)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.cut, node)
	if b := f.nodes[node]; session != "" {
		b.Session = session
		f.nodes[node] = b
	}
}

// work does what each instance asks for at once. It begins anew every few seconds, with
// a list, and whenever it lost its watch.
func (f *fleet) work(ctx context.Context) {
	for ctx.Err() == nil {
		f.workFor(ctx, 5*time.Second)
	}
}

func (f *fleet) workFor(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	page, err := f.client.List(ctx, candor.KindInstances, client.ListOptions{Selector: candor.LabelNode, Limit: 1000})
	if err != nil {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
		return
	}
	for _, o := range page.Objects {
		f.report(ctx, o)
	}
	w, err := f.client.Watch(ctx, client.WatchOptions{Kind: candor.KindInstances, Selector: candor.LabelNode, AfterRevision: page.Revision})
	if err != nil {
		return
	}
	defer func() { _ = w.Close() }()
	for {
		batch, err := w.Next(ctx)
		if err != nil {
			return
		}
		for _, e := range batch.Events {
			if e.Type != candor.EventDeleted {
				f.report(ctx, e.Object)
			}
		}
	}
}

// report says what the worker of the instance's node makes of it.
func (f *fleet) report(ctx context.Context, o *candor.Object) {
	if !f.speaks(o.Metadata.Labels[candor.LabelNode]) {
		return
	}
	want := f.outcome(o)
	var have candor.InstanceObserved
	if len(o.Observed) > 0 && json.Unmarshal(o.Observed, &have) == nil && (have.State == candor.ProcessExited || have.State == want.State && have.Ready == want.Ready) {
		return
	}
	observed, err := json.Marshal(want)
	if err != nil {
		f.t.Error(err)
		return
	}
	ref := candor.Ref{Kind: candor.KindInstances, Namespace: o.Metadata.Namespace, Name: o.Metadata.Name}
	_, err = f.client.Observe(ctx, ref, observed, client.WithPreconditions(0, o.Metadata.UID))
	switch candor.ReasonOf(err) {
	case "", candor.ReasonNotFound, candor.ReasonConflict:
	default:
		if !f.mayFail && ctx.Err() == nil {
			f.t.Errorf("observe %s: %v", ref, err)
		}
	}
}

// outcome is how an instance's process does: those of the command "break" never become
// ready.
func (f *fleet) outcome(o *candor.Object) candor.InstanceObserved {
	if o.Terminating() {
		code := int32(143)
		return candor.InstanceObserved{State: candor.ProcessExited, ExitCode: &code}
	}
	var spec candor.InstanceSpec
	if err := json.Unmarshal(o.Spec, &spec); err != nil {
		f.t.Error(err)
	}
	return candor.InstanceObserved{State: candor.ProcessRunning, Ready: !slices.Contains(spec.Command, "break")}
}

// workload is so many instances, of one core and a gigabyte each.
func workload(name string, replicas int, extra string) *candor.Object {
	return &candor.Object{
		APIVersion: candor.APIVersion, Kind: "Workload", Metadata: candor.Metadata{Namespace: "default", Name: name},
		Spec: fmt.Appendf(nil, `{"replicas":%d,"template":{"command":["serve"],"resources":{"cpu":"1","memory":"1Gi"}%s}}`, replicas, extra),
	}
}

// statusOf reads an object and its status; false where it is not there.
func statusOf[T any](t testing.TB, k *client.Client, ref candor.Ref) (*candor.Object, *T, bool) {
	t.Helper()
	ctx, cancel := within(10 * time.Second)
	defer cancel()
	o, _, err := k.Get(ctx, ref)
	if candor.ReasonOf(err) == candor.ReasonNotFound {
		return nil, nil, false
	}
	if err != nil {
		t.Fatal(err)
	}
	status := new(T)
	if len(o.Status) > 0 {
		if err := json.Unmarshal(o.Status, status); err != nil {
			t.Fatal(err)
		}
	}
	return o, status, true
}

func TestAWorkloadBecomesRunningInstances(t *testing.T) {
	synctest.Test(t, becomesRunning)
}

func becomesRunning(t *testing.T) {
	c := servertest.Start(t)
	startFleet(t, c, 4)
	k := c.Client(t)
	must(t, k, workload("web", 8, ""))
	web := candor.Ref{Kind: candor.KindWorkloads, Namespace: "default", Name: "web"}
	var status *candor.WorkloadStatus
	c.Until("eight instances are ready", func() bool {
		_, status, _ = statusOf[candor.WorkloadStatus](t, k, web)
		return status.Ready == 8 && status.Phase == "Available"
	})
	perNode := map[string]int{}
	for i := range 8 {
		o, s, there := statusOf[candor.InstanceStatus](t, k, candor.Ref{Kind: candor.KindInstances, Namespace: "default", Name: fmt.Sprintf("web-%d", i)})
		if !there {
			t.Fatalf("web-%d is not there", i)
		}
		perNode[s.Node]++
		if s.Phase != candor.InstancePlaced || s.Decision == nil || s.Decision.Verdict != candor.VerdictPlaced || o.Metadata.Labels[candor.LabelNode] != s.Node {
			t.Errorf("web-%d: %+v, labels %v", i, s, o.Metadata.Labels)
		}
	}
	for _, node := range []string{"w1", "w2", "w3", "w4"} {
		if perNode[node] != 2 {
			t.Errorf("eight equal instances on four equal nodes: %v", perNode)
			break
		}
	}
}
