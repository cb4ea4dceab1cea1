package worker

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// fake is a cluster as a worker sees it: what it is told, and what it says. It keeps
// no rule of a cluster's; tests say what is refused.
type fake struct {
	mu       sync.Mutex
	nodes    map[string]*candor.Object
	objects  map[string]*candor.Object // by UID
	revision uint64
	events   []candor.Event // all of them
	watches  map[*fakeWatch]bool
	// away: nobody answers.
	away bool
	// refuse is asked before a beat counts, and before an observation does.
	refuseBeat    func(client.Beat) *candor.Error
	refuseObserve func(uid string) error
	// seen are the observations of each instance, in order.
	seen  map[string][]candor.InstanceObserved
	beats int
	// refuseNode is asked before a node is registered.
	refuseNode func(client.NodeRegistration) *candor.Error
	policies   fakePolicies
}

// fakePolicies are failure policies that nobody changes while they are followed.
type fakePolicies struct {
	all []*candor.Object
	err error
	mu  sync.Mutex
	// asked counts lists.
	asked int
}

func (f *fakePolicies) List(context.Context, string, string) (*client.Page, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	return &client.Page{Objects: f.all, Revision: 1}, f.err
}

func (f *fakePolicies) Watch(context.Context, string, uint64) (Events, error) {
	return &fakeWatch{of: newFake()}, nil
}

func newFake() *fake {
	return &fake{nodes: map[string]*candor.Object{}, objects: map[string]*candor.Object{}, watches: map[*fakeWatch]bool{}, seen: map[string][]candor.InstanceObserved{}}
}

var errAway = &candor.Error{Reason: candor.ReasonUnavailable, Message: "nobody answers"}

func (f *fake) RegisterNodes(_ context.Context, nodes []client.NodeRegistration) ([]client.RegisteredNode, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away {
		return nil, errAway
	}
	var out []client.RegisteredNode
	for i := range nodes {
		if f.refuseNode != nil {
			if refused := f.refuseNode(nodes[i]); refused != nil {
				out = append(out, client.RegisteredNode{Refused: refused})
				continue
			}
		}
		n := f.nodes[nodes[i].Name]
		if n == nil {
			n = &candor.Object{Kind: "Node", Metadata: candor.Metadata{Name: nodes[i].Name, UID: uuid.NewString(), Labels: nodes[i].Labels}}
			f.nodes[nodes[i].Name] = n
		}
		n.Observed = encode(nodes[i].Observed)
		copied := *n
		out = append(out, client.RegisteredNode{Node: &copied, DetectWithin: 60 * time.Millisecond, HeartbeatInterval: 20 * time.Millisecond})
	}
	return out, nil
}

func (f *fake) Heartbeat(_ context.Context, beats []client.Beat) (client.Heartbeats, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away {
		return client.Heartbeats{}, errAway
	}
	f.beats++
	out := client.Heartbeats{Refused: make([]*candor.Error, len(beats))}
	if f.refuseBeat != nil {
		for i, b := range beats {
			out.Refused[i] = f.refuseBeat(b)
		}
	}
	return out, nil
}

func (f *fake) Get(_ context.Context, ref candor.Ref, _ ...client.ReadOption) (*candor.Object, candor.Witness, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := f.nodes[ref.Name]; n != nil {
		copied := *n
		return &copied, candor.Witness{}, nil
	}
	return nil, candor.Witness{}, candor.Errorf(candor.ReasonNotFound, "no node %s", ref.Name)
}

func (f *fake) List(context.Context, string, string) (*client.Page, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away {
		return nil, errAway
	}
	page := &client.Page{Revision: f.revision}
	for _, uid := range slices.Sorted(maps.Keys(f.objects)) {
		copied := *f.objects[uid]
		page.Objects = append(page.Objects, &copied)
	}
	return page, nil
}

func (f *fake) Watch(_ context.Context, _ string, after uint64) (Events, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away {
		return nil, errAway
	}
	w := &fakeWatch{of: f, events: make(chan candor.Event, 1000)}
	for _, e := range f.events {
		if e.Revision > after {
			w.events <- e
		}
	}
	f.watches[w] = true
	return w, nil
}

func (f *fake) Observe(_ context.Context, ref candor.Ref, uid string, observed candor.InstanceObserved) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away {
		return errAway
	}
	if f.refuseObserve != nil {
		if err := f.refuseObserve(uid); err != nil {
			return err
		}
	}
	o := f.objects[uid]
	if o == nil {
		return candor.Errorf(candor.ReasonNotFound, "no instance %s", ref)
	}
	f.seen[uid] = append(f.seen[uid], observed)
	next := *o
	next.Observed = encode(observed)
	f.put(&next)
	return nil
}

// put stores the object and tells the watches; f.mu is held.
func (f *fake) put(o *candor.Object) {
	f.revision++
	f.objects[o.Metadata.UID] = o
	f.tell(candor.Event{Type: candor.EventModified, Revision: f.revision, Object: o})
}

func (f *fake) tell(e candor.Event) {
	f.events = append(f.events, e)
	for w := range f.watches {
		w.events <- e
	}
}

// place makes an instance on the node, as the turn that places it does.
func (f *fake) place(name, node string, template candor.InstanceTemplate) (uid string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	uid = uuid.NewString()
	f.put(&candor.Object{
		Kind: "Instance", Metadata: candor.Metadata{Name: name, Namespace: "team", UID: uid, Labels: map[string]string{candor.LabelNode: node}},
		Spec:   encode(candor.InstanceSpec{InstanceTemplate: template}),
		Status: encode(candor.InstanceStatus{Phase: candor.InstancePlaced, Node: node, NodeUID: f.nodes[node].Metadata.UID}),
	})
	return uid
}

// change replaces the instance by what edit makes of it.
func (f *fake) change(uid string, edit func(o *candor.Object)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := *f.objects[uid]
	edit(&next)
	f.put(&next)
}

func (f *fake) terminate(uid string) {
	f.change(uid, func(o *candor.Object) { o.Metadata.DeletionTime = time.Now() })
}

// remove has the instance be gone. Unheard: no watch tells.
func (f *fake) remove(uid string, heard bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := f.objects[uid]
	delete(f.objects, uid)
	f.revision++
	if heard {
		f.tell(candor.Event{Type: candor.EventDeleted, Revision: f.revision, Object: o})
	}
}

func (f *fake) isAway() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.away
}

func (f *fake) setAway(away bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away = away
	for w := range f.watches {
		if away {
			close(w.events)
			delete(f.watches, w)
		}
	}
}

// observed is what was observed of the instance last.
func (f *fake) observed(uid string) candor.InstanceObserved {
	f.mu.Lock()
	defer f.mu.Unlock()
	if seen := f.seen[uid]; len(seen) > 0 {
		return seen[len(seen)-1]
	}
	return candor.InstanceObserved{}
}

func (f *fake) history(uid string) []candor.InstanceObserved {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.seen[uid])
}

func (f *fake) heartbeats() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.beats
}

type fakeWatch struct {
	of     *fake
	events chan candor.Event
}

func (w *fakeWatch) Next(ctx context.Context) (client.WatchBatch, error) {
	select {
	case e, ok := <-w.events:
		if !ok {
			return client.WatchBatch{}, errAway
		}
		return client.WatchBatch{Revision: e.Revision, Events: []candor.Event{e}}, nil
	case <-ctx.Done():
		return client.WatchBatch{}, ctx.Err()
	}
}

func (w *fakeWatch) Close() error {
	w.of.mu.Lock()
	defer w.of.mu.Unlock()
	delete(w.of.watches, w)
	return nil
}

func encode(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}
