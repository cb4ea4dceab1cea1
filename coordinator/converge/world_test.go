package converge

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/instances"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/coordinator/workloads"
	"github.com/candor-plane/candor/informer"
)

const second = int64(1e9)

// world is a root of one: it takes transactions whole or not at all.
type world struct {
	store    *informer.Store
	revision uint64
	now      int64
	uids     int
	objects  map[candor.Ref]*candor.Object
	beats    map[string]int64 // by node uid
	dead     map[string]bool  // workers, by node name
	closed   map[string]bool  // by node uid and silence
	log      []string
	// judge, where it is set, is told of each write of a controller on the newest view,
	// and of the objects before it.
	judge func(before map[candor.Ref]*candor.Object, write controller.Write)
}

var allKinds = []candor.KindName{
	candor.KindNodes, candor.KindWorkloads, candor.KindInstances, candor.KindDisruptionBudgets,
	candor.KindPriorityClasses, candor.KindFailurePolicies,
}

func newWorld() *world {
	w := &world{
		store:   informer.New(allKinds, append(slices.Clone(workloads.Indexes), instances.Indexes...)...),
		objects: map[candor.Ref]*candor.Object{}, beats: map[string]int64{}, dead: map[string]bool{}, closed: map[string]bool{}, now: 100 * second, revision: 1,
	}
	for _, kind := range allKinds {
		if err := w.store.Replace(kind, w.token(), nil); err != nil {
			panic(err)
		}
	}
	return w
}

func (w *world) token() candor.Token {
	return candor.Token{Term: 1, Index: w.revision, Revision: w.revision}
}

// Write carries out a transaction as the root does.
func (w *world) Write(_ context.Context, write controller.Write) (uint64, error) {
	for _, c := range write.Compares {
		o := w.objects[c.Ref]
		if c.Absent != (o == nil) || o != nil && (c.UID != "" && o.Metadata.UID != c.UID || c.ResourceVersion != 0 && o.Metadata.ResourceVersion != c.ResourceVersion) {
			return 0, candor.Errorf(candor.ReasonConflict, "%s is not as it was", c.Ref)
		}
	}
	turn := &turn{world: w, changed: map[candor.Ref]*candor.Object{}}
	for _, op := range write.Ops {
		if err := turn.do(op); err != nil {
			return 0, err
		}
	}
	return turn.commit(), nil
}

// turn is one transaction; a nil object is one that goes.
type turn struct {
	world   *world
	changed map[candor.Ref]*candor.Object
}

func (t *turn) do(op controller.Op) error {
	ref := op.Target()
	if _, twice := t.changed[ref]; twice {
		return candor.Errorf(candor.ReasonInvalid, "%s is changed twice", ref)
	}
	before := t.world.objects[ref]
	if create, ok := op.(controller.Create); ok {
		if before != nil {
			return candor.Errorf(candor.ReasonAlreadyExists, "%s exists", ref)
		}
		return t.create(ref, create)
	}
	if before == nil {
		return candor.Errorf(candor.ReasonNotFound, "%s does not exist", ref)
	}
	after := *before
	switch op := op.(type) {
	case controller.Update:
		if err := asRead(before, op.Object.Metadata.UID, op.Object.Metadata.ResourceVersion); err != nil {
			return err
		}
		after.Spec = op.Object.Spec
		m := op.Object.Metadata
		after.Metadata.Labels, after.Metadata.Annotations, after.Metadata.Owners, after.Metadata.Finalizers = m.Labels, m.Annotations, m.Owners, m.Finalizers
		if string(after.Spec) != string(before.Spec) {
			after.Metadata.Generation++
		}
		if after.Terminating() && len(after.Metadata.Finalizers) == 0 {
			t.changed[ref] = nil
			return nil
		}
	case controller.UpdateStatus:
		if err := asRead(before, op.UID, op.ResourceVersion); err != nil {
			return err
		}
		after.Status = op.Status
	case controller.Delete:
		if err := asRead(before, op.UID, op.ResourceVersion); err != nil {
			return err
		}
		if len(before.Metadata.Finalizers) == 0 {
			t.changed[ref] = nil
			return nil
		}
		if before.Terminating() {
			return nil
		}
		after.Metadata.DeletionTime = kinds.Time(t.world.now)
	}
	t.changed[ref] = &after
	return nil
}

func (t *turn) create(ref candor.Ref, op controller.Create) error {
	o := *op.Object
	for _, owner := range o.Metadata.Owners {
		live := t.world.objects[candor.Ref{Kind: owner.Kind, Namespace: ref.Namespace, Name: owner.Name}]
		if live == nil || live.Metadata.UID != owner.UID {
			return candor.Errorf(candor.ReasonOwnerInvalid, "%s: its owner does not live", ref)
		}
	}
	t.world.uids++
	o.Metadata.UID = fmt.Sprintf("u%d", t.world.uids)
	o.Metadata.Generation, o.Metadata.CreateRevision = 1, t.world.revision+1
	o.Status, o.Observed = nil, nil
	t.changed[ref] = &o
	return nil
}

func asRead(o *candor.Object, uid string, version uint64) error {
	if uid != "" && o.Metadata.UID != uid || version != 0 && o.Metadata.ResourceVersion != version {
		return candor.Errorf(candor.ReasonConflict, "%s is at %d, wanted %d", o.Metadata.Name, o.Metadata.ResourceVersion, version)
	}
	return nil
}

// commit makes the turn's versions, and lets dependents of what went go after it.
func (t *turn) commit() uint64 {
	w := t.world
	var versions []informer.Version
	var gone []string
	for ref, after := range t.changed {
		if after != nil && sameObject(w.objects[ref], after) {
			continue
		}
		if after == nil {
			last := w.objects[ref]
			delete(w.objects, ref)
			gone = append(gone, last.Metadata.UID)
			versions = append(versions, informer.Version{Kind: ref.Kind, Object: last, Gone: true, Revision: w.revision + 1})
			continue
		}
		after.Metadata.ResourceVersion = w.revision + 1
		w.objects[ref] = after
		versions = append(versions, informer.Version{Kind: ref.Kind, Object: after})
	}
	if len(versions) == 0 {
		return w.revision
	}
	w.revision++
	if err := w.store.Apply(w.token(), versions); err != nil {
		panic(err)
	}
	made := w.revision
	for _, uid := range gone {
		w.cascade(uid)
	}
	return made
}

func sameObject(a, b *candor.Object) bool {
	if a == nil {
		return false
	}
	return string(kinds.Encode(a)) == string(kinds.Encode(b))
}

func (w *world) cascade(owner string) {
	for _, ref := range w.refs() {
		o := w.objects[ref]
		if o != nil && slices.ContainsFunc(o.Metadata.Owners, func(r candor.OwnerReference) bool { return r.UID == owner }) {
			w.must(controller.Delete{Ref: ref})
		}
	}
}

// must writes as a client or as the world itself does.
func (w *world) must(ops ...controller.Op) {
	if _, err := w.Write(context.Background(), controller.Write{Ops: ops}); err != nil {
		panic(err)
	}
}

// edit changes an object in place, whatever section it is of.
func (w *world) edit(ref candor.Ref, change func(o *candor.Object)) {
	after := *w.objects[ref]
	after.Metadata.Labels = maps.Clone(after.Metadata.Labels)
	if after.Metadata.Labels == nil {
		after.Metadata.Labels = map[string]string{}
	}
	spec := string(after.Spec)
	change(&after)
	if string(after.Spec) != spec {
		after.Metadata.Generation++
	}
	t := &turn{world: w, changed: map[candor.Ref]*candor.Object{ref: &after}}
	t.commit()
}

func (w *world) refs(kind ...candor.KindName) []candor.Ref {
	refs := slices.SortedFunc(maps.Keys(w.objects), func(a, b candor.Ref) int { return strings.Compare(a.String(), b.String()) })
	return slices.DeleteFunc(refs, func(r candor.Ref) bool { return len(kind) > 0 && !slices.Contains(kind, r.Kind) })
}

func (w *world) advance(by time.Duration) {
	w.now += int64(by)
	w.beat()
}

func (w *world) beat() {
	for _, ref := range w.refs(candor.KindNodes) {
		if !w.dead[ref.Name] {
			w.beats[w.objects[ref].Metadata.UID] = w.now
		}
	}
}

// Beat is the newest heartbeat: workers here beat with each advance, and are promised
// nothing.
func (w *world) Beat(uid string) (int64, time.Duration, bool) {
	at, ok := w.beats[uid]
	return at, 0, ok
}
