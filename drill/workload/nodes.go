package workload

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/verify/evidence"
)

// nodes are simulated: they beat, and what is placed on them is said to run at once,
// until it is to end.
type nodes struct {
	hand    *hand
	session string

	mu sync.Mutex
	// uids are of the nodes that are registered, by name.
	uids map[string]string
	// claims are of the instances that run, by uid.
	claims map[string]*evidence.Claim
}

const (
	simulatedNodes = 3
	beatPause      = time.Second // until the root says how often
	// relist: what was missed is found so much later.
	relist = 5 * time.Second
	// codeStopped is of a process that was asked to end.
	codeStopped = 143
)

func simulatedName(n int) string { return fmt.Sprintf("drill-node-%d", n+1) }

func newNodes(h *hand) *nodes {
	return &nodes{hand: h, session: fmt.Sprintf("drill-%016x", h.random.Uint64()), uids: map[string]string{}, claims: map[string]*evidence.Claim{}}
}

// beat registers the nodes and keeps them alive, until ctx ends.
func (n *nodes) beat(ctx context.Context) {
	pause := beatPause
	for {
		bounded, cancel := context.WithTimeout(ctx, writePatience)
		if told := n.beatOnce(bounded); told > 0 {
			pause = told
		}
		cancel()
		wait := pause
		if len(n.registered()) < simulatedNodes {
			wait = between
		}
		if !passes(ctx, wait) {
			return
		}
	}
}

func (n *nodes) beatOnce(ctx context.Context) time.Duration {
	if len(n.registered()) < simulatedNodes {
		n.register(ctx)
	}
	var beats []client.Beat
	for name, uid := range n.registered() {
		beats = append(beats, client.Beat{Node: name, UID: uid, Session: n.session})
	}
	if len(beats) == 0 {
		return 0
	}
	heard, err := n.hand.client.Heartbeat(ctx, beats)
	if err != nil {
		return 0
	}
	for i, refused := range heard.Refused {
		if refused != nil {
			n.lost(beats[i].Node) // to be registered again
		}
	}
	return heard.HeartbeatInterval
}

func (n *nodes) register(ctx context.Context) {
	wanted := make([]client.NodeRegistration, simulatedNodes)
	for i := range wanted {
		wanted[i] = client.NodeRegistration{
			Name: simulatedName(i), Labels: map[string]string{candor.LabelZone: fmt.Sprintf("zone-%d", i+1)},
			Observed: candor.NodeObserved{Session: n.session, Simulated: true, Capacity: candor.Resources{
				{Name: candor.ResourceCPU, Value: 8_000}, {Name: candor.ResourceMemory, Value: 32 << 30},
			}},
		}
	}
	registered, err := n.hand.client.RegisterNodes(ctx, wanted)
	if err != nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range registered {
		if registered[i].Refused == nil {
			n.uids[wanted[i].Name] = registered[i].Node.Metadata.UID
		}
	}
}

// registered are the UIDs by name; the caller's.
func (n *nodes) registered() map[string]string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.uids)
}

func (n *nodes) lost(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.uids, name)
}

// work says what becomes of the instances, until ctx ends.
func (n *nodes) work(ctx context.Context) {
	for ctx.Err() == nil {
		bounded, cancel := context.WithTimeout(ctx, relist)
		err := n.follow(bounded)
		cancel()
		if err != nil && candor.ReasonOf(err) != candor.ReasonTimedOut {
			passes(ctx, refusedRest)
		}
	}
	n.end()
}

func (n *nodes) follow(ctx context.Context) error {
	page, err := n.hand.client.List(ctx, candor.KindInstances, client.ListOptions{Selector: candor.LabelNode, Limit: candor.MaxPageObjects})
	if err != nil {
		return err
	}
	for _, o := range page.Objects {
		n.play(ctx, o)
	}
	w, err := n.hand.client.Watch(ctx, client.WatchOptions{Kind: candor.KindInstances, Selector: candor.LabelNode, AfterRevision: page.Revision})
	if err != nil {
		return err
	}
	defer func() { _ = w.Close() }()
	for {
		batch, err := w.Next(ctx)
		if err != nil {
			return err
		}
		for i := range batch.Events {
			if batch.Events[i].Type != candor.EventDeleted {
				n.play(ctx, batch.Events[i].Object)
			}
		}
	}
}

// play has an instance of one of the nodes begin or end.
func (n *nodes) play(ctx context.Context, o *candor.Object) {
	node := o.Metadata.Labels[candor.LabelNode]
	var status candor.InstanceStatus
	if json.Unmarshal(o.Status, &status) != nil || status.Phase.Ended() || n.registered()[node] != status.NodeUID {
		return
	}
	want := n.playing(o, &status)
	var have candor.InstanceObserved
	if len(o.Observed) > 0 && json.Unmarshal(o.Observed, &have) == nil && (have.State == candor.ProcessExited || have.State == want.State) {
		return
	}
	observed, err := json.Marshal(want)
	if err != nil {
		return // it has no field that cannot be written
	}
	ref := candor.Ref{Kind: candor.KindInstances, Namespace: o.Metadata.Namespace, Name: o.Metadata.Name}
	// What is lost is said again after the next list.
	_, _ = n.hand.client.Observe(ctx, ref, observed, client.WithPreconditions(0, o.Metadata.UID))
}

// playing is what the process of an instance does now; its claim is recorded with it.
func (n *nodes) playing(o *candor.Object, status *candor.InstanceStatus) candor.InstanceObserved {
	n.mu.Lock()
	defer n.mu.Unlock()
	uid := o.Metadata.UID
	if o.Terminating() {
		if n.claims[uid] != nil {
			n.claims[uid].Ends()
		}
		code := int32(codeStopped)
		return candor.InstanceObserved{State: candor.ProcessExited, Session: n.session, ExitCode: &code}
	}
	if n.claims[uid] == nil {
		n.claims[uid] = n.hand.env.Recorder.Claims(uid, o.Metadata.Namespace+"/"+o.Metadata.Name, status.NodeUID, n.session)
	}
	return candor.InstanceObserved{State: candor.ProcessRunning, Ready: true, Session: n.session}
}

// end: without workers, nothing runs any more.
func (n *nodes) end() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, claim := range n.claims {
		claim.Ends()
	}
}

// decisionOf is the newest decision about an instance.
func decisionOf(kind candor.KindName, o *candor.Object) string {
	var status candor.InstanceStatus
	if kind != candor.KindInstances || len(o.Status) == 0 || json.Unmarshal(o.Status, &status) != nil || status.Decision == nil {
		return ""
	}
	return status.Decision.ID
}
