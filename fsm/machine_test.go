package fsm

import (
	"bytes"
	"fmt"
	"iter"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/mvcc"
)

func headsOf(k viewKind) iter.Seq[string] {
	return func(yield func(string) bool) {
		k.tree.Scan("", "", func(v *mvcc.Version) bool { return yield(v.Key) })
	}
}

func chainOf(v *View, ref candor.Ref) iter.Seq[*mvcc.Version] {
	return func(yield func(*mvcc.Version) bool) { v.Chain(ref, yield) }
}

func TestAWriteIsOneRevisionAndReadsBack(t *testing.T) {
	r := newRoot(t)
	before := r.m.View().Token().Revision
	res := r.mustWrite(create("default", "a", `{"size":1}`))
	if !res.Changed || res.Token.Revision != before+1 || res.Token.Index != r.index {
		t.Fatalf("result %+v after revision %d", res, before)
	}
	o := r.get(widget("default", "a"))
	if o.Metadata.Generation != 1 || o.Metadata.ResourceVersion != before+1 || o.Cause.Actor != "ana" || string(o.Spec) != `{"size":1}` {
		t.Fatalf("stored %+v", o)
	}
	res = r.update(widget("default", "a"), func(o *candor.Object) { o.Spec = []byte(`{"size":2}`) })
	if o = r.get(widget("default", "a")); res.Err() != nil || o.Metadata.Generation != 2 || o.Cause.PriorRevision != before+1 {
		t.Fatalf("updated %+v, %v", o, res.Err())
	}
	res = r.update(widget("default", "a"), func(*candor.Object) {})
	if res.Changed || r.m.View().Token().Revision != before+2 {
		t.Fatalf("an update that changes nothing made revision %d", r.m.View().Token().Revision)
	}
}

func TestRefusalsChangeNothingAndSayWhy(t *testing.T) {
	r := newRoot(t)
	r.mustWrite(create("default", "a", `{}`))
	stale := r.get(widget("default", "a"))
	r.update(widget("default", "a"), func(o *candor.Object) { o.Spec = []byte(`{"n":1}`) })
	owned := create("default", "b", `{}`)
	owned.Object.Metadata.Owners = []candor.OwnerReference{{Kind: widgets, Name: "nobody", UID: "u"}}
	big := create("default", "big", fmt.Sprintf(`{"x":%q}`, bytes.Repeat([]byte("y"), candor.MaxObjectBytes)))
	unknown := create("default", "x", `{}`)
	unknown.Kind, unknown.KindRevision = "gizmos.test", 9
	moved := create("default", "x", `{}`)
	moved.KindRevision = 1
	for _, c := range []struct {
		name string
		op   command.Operation
		want candor.Reason
	}{
		{"exists", create("default", "a", `{}`), candor.ReasonAlreadyExists},
		{"stale version", command.Operation{Verb: command.VerbUpdate, Kind: widgets, Object: stale}, candor.ReasonConflict},
		{"missing", remove(widgets, "default", "zz", ""), candor.ReasonNotFound},
		{"no namespace", create("nowhere", "a", `{}`), candor.ReasonNotFound},
		{"no owner", owned, candor.ReasonOwnerInvalid},
		{"too big", big, candor.ReasonInvalid},
		{"unknown kind", unknown, candor.ReasonUnknownKind},
		{"kind moved", moved, candor.ReasonConflict},
		{"built-in namespace", remove(candor.KindNamespaces, "", "default", ""), candor.ReasonInvalid},
		{"built-in kind", remove(candor.KindKinds, "", "kinds.candor", ""), candor.ReasonInvalid},
		{"kind in use", remove(candor.KindKinds, "", string(widgets), ""), candor.ReasonKindInUse},
	} {
		before := r.m.View()
		res := r.write(c.op)
		after := r.m.View()
		if res.Reason != c.want || res.Message == "" {
			t.Errorf("%s: got %s %q, want %s", c.name, res.Reason, res.Message, c.want)
		}
		if after.Token().Revision != before.Token().Revision || after.Stats() != before.Stats() {
			t.Errorf("%s: a refused write changed the state", c.name)
		}
	}
}

func TestATransactionIsAllOrNothing(t *testing.T) {
	r := newRoot(t)
	r.mustWrite(create("default", "a", `{}`))
	before := r.m.View().Token().Revision
	if res := r.write(create("default", "b", `{}`), create("default", "a", `{}`)); res.Reason != candor.ReasonAlreadyExists {
		t.Fatalf("got %+v", res)
	}
	if r.get(widget("default", "b")) != nil || r.m.View().Token().Revision != before {
		t.Fatal("the first half of a refused transaction stayed")
	}
	c := r.writeCommand(create("default", "c", `{}`))
	c.Compares = []command.Compare{{Condition: command.IfExists, Ref: widget("default", "a"), Number: 0}}
	c.Else = []command.Operation{{Verb: command.VerbGet, Kind: widgets, Namespace: "default", Name: "a"}}
	res := r.do(c)
	if res.Err() != nil || res.Succeeded || res.Changed || res.Ops[0].Version == nil {
		t.Fatalf("else branch: %+v", res)
	}
	res = r.mustWrite(create("default", "x", `{}`), create("default", "y", `{}`))
	if first := r.m.View().Turn(res.Token.Revision); first == nil || first.Sibling() == nil || first.Sibling().Sibling() != nil {
		t.Fatal("a transaction of two does not stand as one turn of two versions")
	}
}

func TestARepeatedRequestIsAnsweredFromMemoryUntilItsTime(t *testing.T) {
	r := newRoot(t)
	c := r.writeCommand(create("default", "a", `{}`))
	c.RequestID, c.NotAfter, c.Digest = "r1", r.time+5e9, 42
	first := r.do(c)
	again := r.do(c)
	if first.Err() != nil || again.Err() != nil || !again.Replayed || again.Token != first.Token || len(again.Ops) != 1 {
		t.Fatalf("first %+v, again %+v", first, again)
	}
	if got, ok := r.m.Outcome("ana", "r1"); !ok || got.Token.Revision != first.Token.Revision {
		t.Fatalf("outcome %+v %t", got, ok)
	}
	other := *c
	other.Digest = 43
	if res := r.do(&other); res.Reason != candor.ReasonInvalid {
		t.Fatalf("another request under the same ID: %+v", res)
	}
	stranger := *c
	stranger.Actor = "bob"
	if res := r.do(&stranger); res.Reason != candor.ReasonAlreadyExists {
		t.Fatalf("another actor's request is another request: %+v", res)
	}
	r.time += 10e9
	if res := r.do(c); res.Reason != candor.ReasonRequestExpired {
		t.Fatalf("late: %+v", res)
	}
	if _, ok := r.m.Outcome("ana", "r1"); ok || r.m.View().Stats().Requests != 0 {
		t.Fatal("an expired request is still remembered")
	}
}

func TestCascadesDeleteOrOrphanInPages(t *testing.T) {
	r := newRoot(t)
	build := func(owner string, n int) {
		r.mustWrite(create("default", owner, `{}`))
		for i := range n {
			op := create("default", fmt.Sprintf("%s-%03d", owner, i), `{}`)
			op.Object.Metadata.Owners = []candor.OwnerReference{{Kind: widgets, Name: owner, UID: "uid-default-" + owner}}
			if i == 7 {
				op.Object.Metadata.Finalizers = []string{"test/hold"}
			}
			r.mustWrite(op)
		}
	}
	build("bg", 250)
	r.mustWrite(remove(widgets, "default", "bg", candor.PropagateBackground))
	if pages := r.cascadeAll(); pages < 3 {
		t.Fatalf("250 dependents went in %d pages", pages)
	}
	if n := r.m.View().Live(widgets); n != 1 {
		t.Fatalf("%d objects live after the cascade, want the held one", n)
	}
	held := r.get(widget("default", "bg-007"))
	if held == nil || !held.Terminating() {
		t.Fatal("the dependent with a finalizer does not wait for it")
	}
	r.update(widget("default", "bg-007"), func(o *candor.Object) { o.Metadata.Finalizers = nil })
	if r.get(widget("default", "bg-007")) != nil {
		t.Fatal("clearing the last finalizer did not end the object")
	}
	build("or", 3)
	r.mustWrite(remove(widgets, "default", "or", candor.PropagateOrphan))
	r.cascadeAll()
	if o := r.get(widget("default", "or-001")); o == nil || len(o.Metadata.Owners) != 0 {
		t.Fatalf("orphan: %+v", o)
	}
}

func TestATerminatingNamespaceEmptiesAndTakesNothingNew(t *testing.T) {
	r := newRoot(t)
	r.mustWrite(command.Operation{Verb: command.VerbCreate, Kind: candor.KindNamespaces, Object: object("Namespace", "", "team", `{}`)})
	for i := range 150 {
		r.mustWrite(create("team", fmt.Sprintf("w%03d", i), `{}`))
	}
	r.mustWrite(remove(candor.KindNamespaces, "", "team", ""))
	if res := r.write(create("team", "late", `{}`)); res.Reason != candor.ReasonNamespaceTerminating {
		t.Fatalf("got %+v", res)
	}
	r.cascadeAll()
	if r.m.View().Live(widgets) != 0 || r.get(candor.Ref{Kind: candor.KindNamespaces, Name: "team"}) != nil {
		t.Fatal("the namespace or its contents stayed")
	}
}

func TestATurnThatPanicsFailsAloneAndOnEveryReplica(t *testing.T) {
	r := newRoot(t)
	r.m.skip = ruleFault
	res := r.entry(r.writeCommand(create("default", "panic", `{}`)), r.writeCommand(create("default", "fine", `{}`)))
	if res[0].Reason != candor.ReasonTurnFault || res[1].Err() != nil {
		t.Fatalf("results %+v", res)
	}
	if r.get(widget("default", "panic")) != nil || len(r.m.View().Records()) != 1 {
		t.Fatal("the faulty turn left its draft, or no record")
	}
	other := New(Config{ClusterID: "c1"})
	other.skip = ruleFault
	other.Apply(r.log)
	wantSame(t, "replay of a fault", r.m, other)
}

// Every schedule of commands leaves the same state live, replayed entry by
// entry, replayed at once, and restored from a snapshot at any point.
func TestReplayAndSnapshotGiveTheSameState(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRoot(t)
		r.mustWrite(command.Operation{Verb: command.VerbCreate, Kind: candor.KindNamespaces, Object: object("Namespace", "", "team", `{}`)})
		n := rapid.IntRange(5, 60).Draw(rt, "steps")
		cut := rapid.IntRange(0, n).Draw(rt, "cut")
		var snapshot []byte
		var at int
		for i := range n {
			if i == cut {
				snapshot, at = snapshotOf(t, r.m), len(r.log)
			}
			r.step(rt)
		}
		wantSame(t, "replay", r.m, r.replayed())
		one := New(Config{ClusterID: "c1"})
		for i := range r.log {
			one.Apply(r.log[i : i+1])
		}
		wantSame(t, "replay entry by entry", r.m, one)
		if snapshot != nil {
			restored := New(Config{ClusterID: "c1"})
			if err := restored.Restore(bytes.NewReader(snapshot)); err != nil {
				t.Fatal(err)
			}
			restored.Apply(r.log[at:])
			wantSame(t, "snapshot and tail", r.m, restored)
		}
	})
}

// step does something at random.
func (r *root) step(t *rapid.T) {
	name := fmt.Sprintf("w%d", rapid.IntRange(0, 5).Draw(t, "name"))
	ns := rapid.SampledFrom([]string{"default", "team"}).Draw(t, "ns")
	ref := widget(ns, name)
	spec := fmt.Sprintf(`{"n":%d}`, rapid.IntRange(0, 3).Draw(t, "n"))
	switch rapid.IntRange(0, 11).Draw(t, "what") {
	case 0, 1, 2:
		op := create(ns, name, spec)
		op.Object.Metadata.UID += strconv.FormatUint(r.index, 10)
		if o := r.get(widget(ns, "w0")); o != nil && name != "w0" {
			op.Object.Metadata.Owners = []candor.OwnerReference{{Kind: widgets, Name: "w0", UID: o.Metadata.UID}}
		}
		c := r.writeCommand(op)
		c.RequestID, c.NotAfter, c.Digest = fmt.Sprintf("r%d", r.index), r.time+rapid.Int64Range(1, 5e9).Draw(t, "window"), 1
		r.do(c)
	case 3, 4:
		if r.get(ref) != nil {
			r.update(ref, func(o *candor.Object) {
				o.Spec = []byte(spec)
				o.Metadata.Labels = map[string]string{"a": spec, "b": "c"}
			})
		}
	case 5:
		r.write(command.Operation{Verb: command.VerbObserve, Kind: widgets, Namespace: ns, Name: name, Payload: []byte(spec)})
	case 6:
		r.write(remove(widgets, ns, name, rapid.SampledFrom([]candor.Propagation{"", candor.PropagateOrphan}).Draw(t, "p")))
	case 7:
		r.write(create("default", name, spec), create("team", name, spec))
	case 8:
		floor := rapid.Uint64Range(0, r.m.View().Token().Revision).Draw(t, "floor")
		r.do(command.Compact(floor))
	case 9, 10:
		r.stepTransition(t)
	default:
		for _, c := range r.m.View().Cascades(2) {
			r.do(command.CascadePage(c.ID))
		}
		r.time += 2e9
		r.do(command.Tick())
	}
}

// A transaction that takes away what it stands on is refused by a rule, with a
// reason, and leaves no record of a violation.
func TestATransactionCannotTakeAwayWhatItStandsOn(t *testing.T) {
	r := newRoot(t)
	r.mustWrite(command.Operation{Verb: command.VerbCreate, Kind: candor.KindNamespaces, Object: object("Namespace", "", "x", `{}`)})
	if res := r.write(create("x", "a", `{}`), remove(candor.KindNamespaces, "", "x", "")); res.Reason != candor.ReasonNamespaceTerminating {
		t.Errorf("namespace: %s %s", res.Reason, res.Message)
	}
	if res := r.write(create("default", "a", `{}`), remove(candor.KindKinds, "", string(widgets), "")); res.Reason != candor.ReasonKindInUse {
		t.Errorf("kind: %s %s", res.Reason, res.Message)
	}
	r.mustWrite(create("default", "p", `{}`))
	child := create("default", "c", `{}`)
	child.Object.Metadata.Owners = []candor.OwnerReference{{Kind: widgets, Name: "p", UID: "uid-default-p"}}
	if res := r.write(child, remove(widgets, "default", "p", "")); res.Reason != candor.ReasonOwnerInvalid {
		t.Errorf("owner: %s %s", res.Reason, res.Message)
	}
	if n := r.m.View().Stats().Violations; n != 0 {
		t.Errorf("%d violations were recorded", n)
	}
}
