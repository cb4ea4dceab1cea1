package fsm

import (
	"fmt"
	"strings"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
)

// ownedBy is a create of an object that names an owner.
func ownedBy(name, owner string, blocks bool, finalizers ...string) command.Operation {
	op := create("default", name, `{}`)
	op.Object.Metadata.Owners = []candor.OwnerReference{{Kind: widgets, Name: owner, UID: "uid-default-" + owner, BlockOwnerDeletion: blocks}}
	op.Object.Metadata.Finalizers = finalizers
	return op
}

func (r *root) lives(name string) bool { return r.get(widget("default", name)) != nil }

func (r *root) letGo(name string) {
	r.t.Helper()
	if err := new(r.update(widget("default", name), func(o *candor.Object) { o.Metadata.Finalizers = nil })).Err(); err != nil {
		r.t.Fatal(err)
	}
}

func TestInTheForegroundTheOwnerGoesLast(t *testing.T) {
	r := newRoot(t)
	r.mustWrite(create("default", "owner", `{}`))
	for i := range 250 {
		r.mustWrite(ownedBy(fmt.Sprintf("blocks-%03d", i), "owner", true))
	}
	r.mustWrite(ownedBy("held", "owner", true, "test/hold"))
	r.mustWrite(ownedBy("follows", "owner", false))
	r.mustWrite(ownedBy("child", "held", false))
	r.mustWrite(ownedBy("grandchild", "child", true, "test/hold"))
	r.mustWrite(remove(widgets, "default", "owner", candor.PropagateForeground))
	o := r.get(widget("default", "owner"))
	if o == nil || !o.Terminating() || len(o.Metadata.Finalizers) != 1 || o.Metadata.Finalizers[0] != candor.FinalizerForeground {
		t.Fatalf("owner %+v", o)
	}
	if pages := r.cascadeAll(); pages > 12 {
		t.Errorf("%d pages for 251 dependents", pages)
	}
	if !r.lives("owner") || !r.lives("held") || !r.lives("follows") || r.lives("blocks-000") || r.lives("blocks-249") {
		t.Fatalf("owner %t held %t follows %t first %t last %t", r.lives("owner"), r.lives("held"), r.lives("follows"), r.lives("blocks-000"), r.lives("blocks-249"))
	}
	// It waits, and nobody is asked to do anything meanwhile.
	if c := r.m.View().Cascades(10); len(c) != 0 || r.m.View().Stats().Cascades != 1 {
		t.Fatalf("a cascade that waits is anybody's turn: %+v of %d", c, r.m.View().Stats().Cascades)
	}
	back := restored(t, r.m)
	wantSame(t, "restored", r.m, back)
	wantSame(t, "replayed", r.m, r.replayed())
	r.letGo("held")
	if len(r.m.View().Cascades(10)) == 0 {
		t.Fatal("the last that blocked is gone, and nobody goes on")
	}
	r.cascadeAll()
	if r.lives("owner") || r.lives("held") || r.lives("follows") || !r.lives("grandchild") {
		t.Errorf("owner %t held %t follows %t grandchild %t", r.lives("owner"), r.lives("held"), r.lives("follows"), r.lives("grandchild"))
	}
	r.letGo("grandchild")
	r.cascadeAll()
	if n := r.m.View().Stats().Cascades; n != 0 || len(r.m.state.foreground) != 0 {
		t.Errorf("%d cascades are left, %d are known", n, len(r.m.state.foreground))
	}
	wantSame(t, "replayed", r.m, r.replayed())
}

// A dependent that comes while pages go on, before the place that they reached, is
// found all the same.
func TestInTheForegroundNoneIsOverlooked(t *testing.T) {
	r := newRoot(t)
	r.mustWrite(create("default", "owner", `{}`))
	for i := range 150 {
		r.mustWrite(ownedBy(fmt.Sprintf("m-%03d", i), "owner", true, "test/hold"))
	}
	r.mustWrite(remove(widgets, "default", "owner", candor.PropagateForeground))
	r.do(command.CascadePage(r.m.View().Cascades(1)[0].ID))
	r.mustWrite(ownedBy("a-late", "owner", true))
	r.cascadeAll()
	if r.lives("a-late") || !r.lives("owner") || len(r.m.View().Cascades(1)) != 0 {
		t.Fatalf("late %t, owner %t, %d cascades go on", r.lives("a-late"), r.lives("owner"), len(r.m.View().Cascades(1)))
	}
	for i := range 150 {
		r.letGo(fmt.Sprintf("m-%03d", i))
	}
	r.cascadeAll()
	if r.lives("owner") || r.m.View().Stats().Cascades != 0 {
		t.Errorf("owner %t, %d cascades", r.lives("owner"), r.m.View().Stats().Cascades)
	}
	wantSame(t, "replayed", r.m, r.replayed())
}

// What a restored machine waits for wakes it as well.
func TestAWaitingCascadeIsWokenAfterARestore(t *testing.T) {
	r := newRoot(t)
	r.mustWrite(create("default", "owner", `{}`))
	r.mustWrite(ownedBy("held", "owner", true, "test/hold"))
	r.mustWrite(remove(widgets, "default", "owner", candor.PropagateForeground))
	r.cascadeAll()
	r.m = restored(t, r.m)
	r.letGo("held")
	r.cascadeAll()
	if r.lives("owner") || r.m.View().Stats().Cascades != 0 {
		t.Errorf("owner %t, %d cascades", r.lives("owner"), r.m.View().Stats().Cascades)
	}
}

func TestAForegroundDeletionEndsWhateverHappensMeanwhile(t *testing.T) {
	for _, row := range []struct {
		what      string
		meanwhile func(*root)
	}{
		{"a dependent is born and blocks", func(r *root) {
			r.mustWrite(ownedBy("late", "owner", true))
			r.cascadeAll()
			if r.lives("late") {
				r.t.Error("the late one stays")
			}
		}},
		{"somebody takes the mark away", func(r *root) { r.letGo("owner") }},
		{"the one that blocks lets go", func(r *root) {
			r.update(widget("default", "held"), func(o *candor.Object) { o.Metadata.Owners = nil })
		}},
		{"another finalizer holds the owner", func(*root) {}},
	} {
		t.Run(row.what, func(t *testing.T) {
			r := newRoot(t)
			op := create("default", "owner", `{}`)
			if strings.Contains(row.what, "another") {
				op.Object.Metadata.Finalizers = []string{"test/hold"}
			}
			r.mustWrite(op)
			r.mustWrite(ownedBy("held", "owner", true, "test/hold"))
			r.mustWrite(remove(widgets, "default", "owner", candor.PropagateForeground))
			r.cascadeAll()
			row.meanwhile(r)
			r.cascadeAll()
			if o := r.get(widget("default", "held")); o != nil && len(o.Metadata.Finalizers) > 0 {
				r.letGo("held")
			}
			r.cascadeAll()
			if o := r.get(widget("default", "owner")); o != nil {
				if len(o.Metadata.Finalizers) != 1 || o.Metadata.Finalizers[0] != "test/hold" {
					t.Fatalf("owner %+v", o.Metadata)
				}
				r.letGo("owner")
			}
			if n := r.m.View().Stats(); n.Cascades != 0 || n.Violations != 0 || n.Faults != 0 || len(r.m.state.foreground) != 0 {
				t.Errorf("%+v, %d are known", n, len(r.m.state.foreground))
			}
			if r.lives("held") || r.lives("owner") {
				t.Errorf("held lives: %t, owner: %t", r.lives("held"), r.lives("owner"))
			}
			wantSame(t, "replayed", r.m, r.replayed())
		})
	}
}

// A dependent of several owners loses the one, and stays with the others.
func TestInTheForegroundASharedDependentStays(t *testing.T) {
	r := newRoot(t)
	r.mustWrite(create("default", "owner", `{}`), create("default", "other", `{}`))
	shared := ownedBy("shared", "owner", true)
	shared.Object.Metadata.Owners = append(shared.Object.Metadata.Owners, candor.OwnerReference{Kind: widgets, Name: "other", UID: "uid-default-other"})
	r.mustWrite(shared)
	r.mustWrite(remove(widgets, "default", "owner", candor.PropagateForeground))
	r.cascadeAll()
	if o := r.get(widget("default", "shared")); o == nil || o.Terminating() || len(o.Metadata.Owners) != 1 || r.lives("owner") {
		t.Errorf("shared %+v, owner %t", o, r.lives("owner"))
	}
}

// Nobody owns itself through others, whichever reference would close the circle.
func TestACycleOfOwnersIsRefused(t *testing.T) {
	r := newRoot(t)
	r.mustWrite(create("default", "a", `{}`), create("default", "x", `{}`))
	r.mustWrite(ownedBy("b", "a", false))
	r.mustWrite(ownedBy("c", "b", false))
	own := func(name, owner string) Result {
		return r.update(widget("default", name), func(o *candor.Object) {
			o.Metadata.Owners = []candor.OwnerReference{{Kind: widgets, Name: owner, UID: "uid-default-" + owner}}
		})
	}
	res := own("a", "c")
	if res.Reason != candor.ReasonOwnerInvalid || !strings.Contains(res.Message, "a is owned by c by b by a") {
		t.Errorf("%+v", res)
	}
	if res := own("b", "b"); res.Reason != candor.ReasonOwnerInvalid {
		t.Errorf("%+v", res)
	}
	// In one transaction the second would close it.
	x, a := *r.get(widget("default", "x")), *r.get(widget("default", "a"))
	x.Metadata.Owners = []candor.OwnerReference{{Kind: widgets, Name: "c", UID: "uid-default-c"}}
	a.Metadata.Owners = []candor.OwnerReference{{Kind: widgets, Name: "x", UID: "uid-default-x"}}
	both := []command.Operation{{Verb: command.VerbUpdate, Kind: widgets, Object: &x}, {Verb: command.VerbUpdate, Kind: widgets, Object: &a}}
	if res := r.write(both...); res.Reason != candor.ReasonOwnerInvalid {
		t.Errorf("%+v", res)
	}
	if res := own("x", "c"); res.Reason != "" {
		t.Errorf("a longer chain: %+v", res)
	}
	// The walk is bounded, and says so.
	for i := range maxAncestors + 1 {
		op := create("default", fmt.Sprintf("up-%03d", i), `{}`)
		if i > 0 {
			op = ownedBy(fmt.Sprintf("up-%03d", i), fmt.Sprintf("up-%03d", i-1), false)
		}
		r.mustWrite(op)
	}
	if res := own("x", fmt.Sprintf("up-%03d", maxAncestors)); res.Reason != candor.ReasonOwnerInvalid || !strings.Contains(res.Message, "more than 256") {
		t.Errorf("%+v", res)
	}
	wantSame(t, "replayed", r.m, r.replayed())
}
