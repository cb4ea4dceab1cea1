package placing_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/placing"
	"github.com/candor-plane/candor/coordinator/scheduler"
	"github.com/candor-plane/candor/informer"
)

var watched = []candor.KindName{candor.KindNodes, candor.KindInstances, candor.KindDisruptionBudgets}

// world is a root of placements: it judges as the turn does, keeps every state that it
// was in, and feeds a store. Its Place and Evict are the placer's; everything else is the
// test's.
type world struct {
	t     testing.TB
	store *informer.Store

	mu      sync.Mutex
	objects map[candor.Ref]*candor.Object
	// past are the objects at each revision, and made what each revision wrote.
	past map[uint64]map[candor.Ref]*candor.Object
	made map[uint64][]candor.Ref
	at   uint64
	// batches and evictions are what was proposed, in order.
	batches   [][]placing.Placement
	evictions []placing.Eviction

	// before is asked before anything is judged: an error is the answer.
	before func() error
	// refuse is why an item is refused; meanwhile happens just before the judgement.
	refuse    func(p placing.Placement) candor.Reason
	meanwhile func()
	// vanished: instances go while they are being placed, and leave no trace of it.
	vanished bool
}

func newWorld(t testing.TB) *world {
	w := &world{
		t: t, store: informer.New(watched), objects: map[candor.Ref]*candor.Object{}, past: map[uint64]map[candor.Ref]*candor.Object{},
		made: map[uint64][]candor.Ref{}, at: 1,
	}
	for _, kind := range watched {
		if err := w.store.Replace(kind, w.token(), nil); err != nil {
			t.Fatal(err)
		}
	}
	w.past[1] = map[candor.Ref]*candor.Object{}
	return w
}

func (w *world) token() candor.Token { return candor.Token{Term: 1, Index: 2 * w.at, Revision: w.at} }

// put makes one revision of objects, and of the names that are gone.
func (w *world) put(objects ...*candor.Object) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.write(objects, nil)
}

func (w *world) remove(refs ...candor.Ref) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.write(nil, refs)
}

func (w *world) write(objects []*candor.Object, gone []candor.Ref) {
	w.at++
	var versions []informer.Version
	for _, o := range objects {
		ref := refOf(o)
		o.Metadata.ResourceVersion = w.at
		if w.objects[ref] == nil {
			o.Metadata.CreateRevision = w.at
		}
		w.objects[ref] = o
		w.made[w.at] = append(w.made[w.at], ref)
		versions = append(versions, informer.Version{Kind: ref.Kind, Object: o})
	}
	for _, ref := range gone {
		versions = append(versions, informer.Version{Kind: ref.Kind, Object: w.objects[ref], Gone: true, Revision: w.at})
		delete(w.objects, ref)
	}
	w.past[w.at] = maps.Clone(w.objects)
	if err := w.store.Apply(w.token(), versions); err != nil {
		w.t.Error(err)
	}
}

func refOf(o *candor.Object) candor.Ref {
	kinds := map[string]candor.KindName{"Node": candor.KindNodes, "Instance": candor.KindInstances, "DisruptionBudget": candor.KindDisruptionBudgets}
	return candor.Ref{Kind: kinds[o.Kind], Namespace: o.Metadata.Namespace, Name: o.Metadata.Name}
}

// Place judges each item by itself, and records what became of it as the turn does.
func (w *world) Place(_ context.Context, _ candor.Token, batch []placing.Placement) (uint64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.batches = append(w.batches, slices.Clone(batch))
	if err := w.interfere(); err != nil {
		return 0, err
	}
	var written []*candor.Object
	for _, p := range batch {
		o := w.objects[p.Instance.Ref]
		if o == nil || o.Metadata.UID != p.UID || statusOf(o).Node != "" {
			continue
		}
		refusal := candor.Reason("")
		switch {
		case o.Metadata.ResourceVersion != p.Instance.Revision:
			refusal = candor.ReasonConflict
		case w.refuse != nil:
			refusal = w.refuse(p)
		}
		if next := judged(o, p, refusal); next != nil {
			written = append(written, next)
		}
	}
	if len(written) == 0 {
		return 0, nil
	}
	w.write(written, nil)
	return w.at, nil
}

func judged(o *candor.Object, p placing.Placement, refusal candor.Reason) *candor.Object {
	if refusal != "" && p.Node == "" {
		return nil
	}
	next, status, decision := *o, statusOf(o), new(candor.Decision)
	if err := json.Unmarshal(p.Decision, decision); err != nil {
		panic(err)
	}
	status.ObservedGeneration, status.Decision, status.Nominated, status.Phase = o.Metadata.Generation, decision, p.Nominated, candor.InstancePending
	switch {
	case refusal != "":
		decision.Verdict, decision.Refusal = candor.VerdictRefused, string(refusal)
	case p.Node != "":
		status.Phase, status.Node, status.NodeUID = candor.InstancePlaced, p.Node, p.NodeUID
	}
	next.Status = raw(status)
	return &next
}

// Evict is all or nothing. A victim ends when the test has it end.
func (w *world) Evict(_ context.Context, e placing.Eviction) (uint64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.evictions = append(w.evictions, e)
	if err := w.interfere(); err != nil {
		return 0, err
	}
	var written []*candor.Object
	take := func(v candor.VersionRef, uid string, change func(o *candor.Object)) bool {
		o := w.objects[v.Ref]
		if o == nil || o.Metadata.UID != uid || o.Metadata.ResourceVersion != v.Revision {
			return false
		}
		next := *o
		change(&next)
		written = append(written, &next)
		return true
	}
	whole := take(e.Instance, e.UID, func(o *candor.Object) { o.Status = e.Status })
	for _, b := range e.Budgets {
		whole = take(b.Budget, b.UID, func(o *candor.Object) { o.Status = b.Status }) && whole
	}
	for _, v := range e.Victims {
		whole = take(v.Instance, v.UID, func(o *candor.Object) { o.Metadata.DeletionTime = time.Unix(9, 0).UTC() }) && whole
	}
	if !whole {
		return 0, candor.Errorf(candor.ReasonConflict, "something has changed")
	}
	w.write(written, nil)
	return w.at, nil
}

func (w *world) interfere() error {
	if w.meanwhile != nil {
		happens := w.meanwhile
		w.meanwhile = nil
		happens()
	}
	if w.before != nil {
		return w.before()
	}
	return nil
}

// end has a victim's process end.
func (w *world) end(name string) { w.remove(instanceRef(name)) }

func (w *world) status(name string) candor.InstanceStatus {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	o := w.objects[instanceRef(name)]
	if o == nil {
		w.t.Fatalf("%s is not there", name)
	}
	return statusOf(o)
}

// proposed counts what was proposed.
func (w *world) proposed() (batches, evictions int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.batches), len(w.evictions)
}

// wantReplays decides again everything that was ever recorded: on the state at its token,
// after the recorded decisions of the same token with smaller places. Where one of those
// left no trace, that is to be said.
func (w *world) wantReplays() (decisions, missing int) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	recorded := map[candor.Token][]scheduler.Earlier{}
	for revision := uint64(1); revision <= w.at; revision++ {
		for _, ref := range w.made[revision] {
			o := w.past[revision][ref]
			if ref.Kind != candor.KindInstances {
				continue
			}
			d := statusOf(o).Decision
			if d == nil || slices.ContainsFunc(recorded[d.Token], func(e scheduler.Earlier) bool { return e.Ref == ref && e.Decision.ID == d.ID }) {
				continue
			}
			m := scheduler.NewModel()
			for _, o := range w.past[d.Token.Revision] {
				if _, err := m.Apply(o, refOf(o).Kind); err != nil {
					w.t.Fatal(err)
				}
			}
			m.Advance(d.Token)
			decisions++
			got := scheduler.Replay(m, recorded[d.Token], ref, d)
			if got.Reason == candor.ReasonReplayUnavailable && w.vanished {
				missing++
				decisions--
			} else if !got.Same {
				w.t.Errorf("%s, %s: %s, %s", ref, d.ID, got.Reason, got.Message)
			}
			recorded[d.Token] = append(recorded[d.Token], scheduler.Earlier{Ref: ref, Decision: *d})
		}
	}
	return decisions, missing
}

// run starts a placer, and returns what ends it and waits for its error.
func (w *world) run() (p *placing.Placer, end func() error) {
	ctx, cancel := context.WithCancel(w.t.Context())
	p = placing.New(placing.Config{Store: w.store, Root: w, Logger: hclog.NewNullLogger()})
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	synctest.Wait()
	return p, func() error {
		cancel()
		return <-ended
	}
}

func raw(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func statusOf(o *candor.Object) (s candor.InstanceStatus) {
	if len(o.Status) > 0 {
		if err := json.Unmarshal(o.Status, &s); err != nil {
			panic(err)
		}
	}
	return s
}

func instanceRef(name string) candor.Ref {
	return candor.Ref{Kind: candor.KindInstances, Namespace: "default", Name: name}
}

func node(name string, cores int) *candor.Object {
	ready := candor.Condition{Type: candor.ConditionReady, Status: candor.ConditionTrue, Reason: candor.WhyHeartbeatFresh}
	return &candor.Object{
		APIVersion: candor.APIVersion, Kind: "Node", Metadata: candor.Metadata{Name: name, UID: "node-" + name, Generation: 1},
		Spec: raw(candor.NodeSpec{}), Status: raw(candor.NodeStatus{Conditions: candor.Conditions{ready}}),
		Observed: raw(candor.NodeObserved{Capacity: candor.Resources{{Name: candor.ResourceCPU, Value: int64(cores) * 1000}}}),
	}
}

// instance is of one core, in the group of its priority.
func instance(name string, priority int32) *candor.Object {
	spec := candor.InstanceSpec{Priority: priority, Preempts: priority > 0}
	spec.Command, spec.Resources = []string{"serve"}, candor.Resources{{Name: candor.ResourceCPU, Value: 1000}}
	return &candor.Object{
		APIVersion: candor.APIVersion, Kind: "Instance", Spec: raw(spec),
		Metadata: candor.Metadata{Namespace: "default", Name: name, UID: "uid-" + name, Generation: 1, Labels: map[string]string{"group": fmt.Sprint("p", priority)}},
	}
}

func budget(name, selector string, allowed int32) *candor.Object {
	return &candor.Object{
		APIVersion: candor.APIVersion, Kind: "DisruptionBudget", Metadata: candor.Metadata{Namespace: "default", Name: name, UID: "uid-" + name, Generation: 1},
		Spec: raw(candor.DisruptionBudgetSpec{Instances: selector}), Status: raw(candor.DisruptionBudgetStatus{ObservedGeneration: 1, Healthy: 3, Wanted: 3 - allowed, Allowed: allowed}),
	}
}
