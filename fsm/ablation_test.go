package fsm

import (
	"bytes"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
)

// Each row leaves one rule out of the turn and shows that the invariant behind
// it blocks the turn by itself, records who proposed what, and that the same
// command passes or is refused with a proper reason when the rule stands.
func TestEveryInvariantStandsWithoutItsRule(t *testing.T) {
	owned := create("default", "owned", `{}`)
	owned.Object.Metadata.Owners = []candor.OwnerReference{{Kind: widgets, Name: "nobody", UID: "u"}}
	edit := func(r *root) *command.Command {
		o := *r.get(widget("default", "a"))
		o.Spec = []byte(`{"n":2}`)
		return r.writeCommand(command.Operation{Verb: command.VerbUpdate, Kind: widgets, Object: &o})
	}
	for _, row := range []struct {
		skip      ruleSet
		invariant string
		command   func(*root) *command.Command
	}{
		{ruleOwners, "ValidOwnerReference", func(r *root) *command.Command { return r.writeCommand(owned) }},
		{ruleSections, "SectionWriter", edit},
		{ruleGeneration, "GenerationCountsSpec", edit},
		{ruleIdentity, "IdentityIsFixed", edit},
		{ruleRevision, "MonotonicRevision", edit},
		{ruleCause, "EveryVersionHasACause", edit},
		{ruleNamespace, "NamespaceHolds", func(r *root) *command.Command { return r.writeCommand(create("nowhere", "x", `{}`)) }},
		{ruleFinalizers, "FinalizersHold", func(r *root) *command.Command {
			return r.writeCommand(remove(widgets, "default", "held", ""))
		}},
		{ruleToken, "MonotonicToken", edit},
		{ruleFence, "SealedIsSilent", func(r *root) *command.Command {
			sealedEra(r)
			c := r.writeCommand(create("default", "zombie", `{}`))
			c.Duty, c.Era, c.Holder = "control/test", 1, "client/ana"
			return c
		}},
		{ruleSeal, "FrontierCovered", func(r *root) *command.Command {
			l := sealedEra(r)
			c := command.Tenure("control/test", "client/ana", tenure.Campaign{
				Holder: "client/ana", Candidacy: "c2", Expect: 1, Cite: l.Current.Seal, Start: l.Current.Usage, Duration: int64(time.Second),
			})
			c.Actor = "ana"
			return c
		}},
		{rulePlanID, "TransitionIdentity", func(r *root) *command.Command {
			return command.Plan(r.change(transition.MemberRemove, "s3", transition.Membership{}), "")
		}},
		{ruleForward, "ForwardOnlyOutcome", func(r *root) *command.Command {
			p := r.planned(transition.MemberRemove, "s3", transition.Membership{})
			r.do(command.Cancel("ana", p, "", ""))
			return command.Cancel("ana", p, "", "")
		}},
		{rulePublish, "NoSkippedPublish", func(r *root) *command.Command {
			return command.Cancel("ana", r.pends(transition.MemberRemove, "s3"), "", "")
		}},
		{ruleCapacity, "CapacityNotExceeded", func(r *root) *command.Command {
			crowd(r)
			return r.placement(r.proposal("one", "w1"), r.proposal("two", "w1"))
		}},
		{rulePlace, "OneLivePlacementPerInstance", func(r *root) *command.Command {
			crowd(r)
			return r.writeCommand(status(instanceRef("one"), `{"phase":"Placed","node":"w1","nodeUID":"uid--w1"}`))
		}},
		{ruleDispose, "NoHiddenDrop", func(r *root) *command.Command {
			duty := tenure.DutyJanitor
			if r.lineage(duty).Current.Number == 0 {
				r.hold(duty)
			}
			return command.Dispose(duty, 1, executor, maxRequestAge, r.pends(transition.MemberRemove, "s3").ID())
		}},
	} {
		t.Run(row.invariant, func(t *testing.T) {
			r := newRoot(t)
			r.mustWrite(create("default", "a", `{}`))
			held := create("default", "held", `{}`)
			held.Object.Metadata.Finalizers = []string{"test/hold"}
			r.mustWrite(held)
			blocked := row.command(r)
			before := r.m.View()
			r.m.skip = row.skip
			if res := r.do(blocked); res.Reason != candor.ReasonInvariantViolated {
				t.Fatalf("without its rule: %+v, want the invariant to block", res)
			}
			records := r.m.View().Records()
			if len(records) != 1 || records[0].Invariant != row.invariant || records[0].Actor != blocked.Actor {
				t.Fatalf("records %+v", records)
			}
			if r.m.View().Token().Revision != before.Token().Revision {
				t.Fatal("a blocked turn made a revision")
			}
			r.m.skip = 0
			if res := r.do(row.command(r)); res.Reason == candor.ReasonInvariantViolated {
				t.Fatalf("with its rule: %+v, want the rule to decide", res)
			}
		})
	}
}

// crowd has, once, a node of 4 cores and two instances that ask for 3 each.
func crowd(r *root) {
	if r.get(nodeRef("w1")) != nil {
		return
	}
	r.hold(tenure.DutySchedule)
	r.mustWrite(createNode("w1"))
	r.mustWrite(observe(nodeRef("w1"), `{"capacity":{"cpu":4},"session":"s"}`))
	r.mustWrite(status(nodeRef("w1"), isReady))
	r.mustWrite(createInstance("one", `{"cpu":3}`), createInstance("two", `{"cpu":3}`))
}

func TestADamagedSnapshotIsRefusedWhole(t *testing.T) {
	r := newRoot(t)
	for i := range 40 {
		r.mustWrite(create("default", string(rune('a'+i%26))+string(rune('a'+i/26)), `{"n":1}`))
	}
	good := snapshotOf(t, r.m)
	fresh := func() *Machine { return New(Config{ClusterID: "c1"}) }
	m := fresh()
	if err := m.Restore(bytes.NewReader(good)); err != nil {
		t.Fatal(err)
	}
	wantSame(t, "restored", r.m, m)
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x10
		m := fresh()
		before := m.View()
		if err := m.Restore(bytes.NewReader(bad)); candor.ReasonOf(err) != candor.ReasonDataCorrupt {
			t.Fatalf("byte %d flipped: %v", i, err)
		}
		if m.View() != before {
			t.Fatal("a refused snapshot changed the state")
		}
	}
	for i := range good {
		if err := fresh().Restore(bytes.NewReader(good[:i])); candor.ReasonOf(err) != candor.ReasonDataCorrupt {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	if err := fresh().Restore(bytes.NewReader(append(bytes.Clone(good), 0))); candor.ReasonOf(err) != candor.ReasonDataCorrupt {
		t.Fatalf("one byte more: %v", err)
	}
	if err := New(Config{ClusterID: "c2"}).Restore(bytes.NewReader(good)); candor.ReasonOf(err) != candor.ReasonClusterMismatch {
		t.Fatalf("another cluster: %v", err)
	}
	if err := r.m.Restore(bytes.NewReader(snapshotOf(t, fresh()))); candor.ReasonOf(err) != candor.ReasonConflict {
		t.Fatalf("below the served position: %v", err)
	}
}

func TestASnapshotStreamsWhileTurnsAndPruningGoOn(t *testing.T) {
	r := newRoot(t)
	r.mustWrite(create("default", "a", `{"n":0}`))
	for i := range 50 {
		r.update(widget("default", "a"), func(o *candor.Object) { o.Spec = []byte{'{', '"', byte('a' + i%26), '"', ':', '1', '}'} })
	}
	s := r.m.Snapshot()
	want := dump(r.m.View())
	r.do(command.Compact(r.m.View().Token().Revision))
	r.mustWrite(remove(widgets, "default", "a", ""))
	r.do(command.Compact(r.m.View().Token().Revision))
	var b bytes.Buffer
	if _, err := s.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	s.Release()
	m := New(Config{ClusterID: "c1"})
	if err := m.Restore(&b); err != nil {
		t.Fatal(err)
	}
	if got := dump(m.View()); got != want {
		t.Fatalf("the snapshot is not of its own position:\n%s\nwant\n%s", got, want)
	}
	if n := r.m.View().Stats().Versions; n != uint64(len(builtins)+1) {
		t.Fatalf("%d versions are retained after compaction, want the built-in objects and the kind", n)
	}
	if _, err := r.m.View().Get(widget("default", "a"), 3); candor.ReasonOf(err) != candor.ReasonCompacted {
		t.Fatalf("read below the floor: %v", err)
	}
}

func TestARestoredClusterBeginsANewHistory(t *testing.T) {
	r := newRoot(t)
	r.mustWrite(create("default", "a", `{"n":1}`))
	var out bytes.Buffer
	h, err := RewriteSnapshot(bytes.NewReader(snapshotOf(t, r.m)), &out, Rewrite{ClusterID: "c2", HistoryID: "h2", RaiseRevision: 1e9})
	if err != nil {
		t.Fatal(err)
	}
	m := New(Config{ClusterID: "c2"})
	if err := m.Restore(bytes.NewReader(out.Bytes())); err != nil {
		t.Fatal(err)
	}
	v := m.View()
	if v.HistoryID() != "h2" || v.Token().Revision != r.m.View().Token().Revision+1e9 || v.Floor() != v.Token().Revision || h.Digest != v.Digest() {
		t.Fatalf("restored at %s, floor %d, history %s", v.Token(), v.Floor(), v.HistoryID())
	}
	x, err := v.Get(widget("default", "a"), 0)
	if err != nil || x == nil {
		t.Fatalf("object lost: %v", err)
	}
}
