package fsm

import (
	"bytes"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
)

func (r *root) lease(node string) (Lease, bool) {
	r.t.Helper()
	return r.m.View().Lease("uid--" + node)
}

func beatOf(node string) command.Beat {
	return command.Beat{Node: node, UID: "uid--" + node, Session: "s-" + node}
}

func TestABeatIsHeardAndMakesNoVersion(t *testing.T) {
	r := fleet(t, "w1", "w2")
	first, ok := r.lease("w1")
	if !ok || first.Session != "s-w1" || first.Node != "w1" || first.Beat == 0 {
		t.Fatalf("the first observation is no beat: %+v", first)
	}
	before := r.m.View()
	res := r.do(command.Beats(
		beatOf("w1"), command.Beat{Node: "w2", UID: "uid--w2", Session: "s-old"}, command.Beat{Node: "w1", UID: "uid-other", Session: "s-w1"},
		command.Beat{Node: "w9", UID: "uid--w2", Session: "s-w2"},
	))
	for i, want := range []candor.Reason{"", candor.ReasonConflict, candor.ReasonNotFound, candor.ReasonNotFound} {
		if res.Items[i].Reason != want || (res.Items[i].Message == "") != (want == "") {
			t.Errorf("beat %d: %+v, want %q", i, res.Items[i], want)
		}
	}
	after := r.m.View()
	if res.Changed || after.Token().Revision != before.Token().Revision || after.Stats().Versions != before.Stats().Versions {
		t.Error("a beat made a version or a revision")
	}
	if l, _ := r.lease("w1"); l.Beat != r.time || l.Session != "s-w1" {
		t.Errorf("lease %+v at %d", l, r.time)
	}
	if old, _ := before.Lease("uid--w1"); old != first {
		t.Errorf("a published view changed: %+v", old)
	}
	quiet, _ := r.lease("w2")
	if quiet.Beat >= r.time {
		t.Errorf("a refused beat counts: %+v", quiet)
	}
	wantSame(t, "replayed", r.m, r.replayed())
	back := restored(t, r.m)
	wantSame(t, "restored", r.m, back)
	if l, _ := back.View().Lease("uid--w2"); l != quiet {
		t.Errorf("restored %+v, want %+v", l, quiet)
	}
}

func TestALeaseFollowsItsNode(t *testing.T) {
	r := fleet(t, "w1")
	first, _ := r.lease("w1")
	r.mustWrite(observe(nodeRef("w1"), `{"capacity":{"cpu":2},"session":"s-w1"}`))
	if l, _ := r.lease("w1"); l != first {
		t.Errorf("an observation of the same session is no beat: %+v", l)
	}
	r.mustWrite(observe(nodeRef("w1"), `{"capacity":{"cpu":2},"session":"s2"}`))
	if l, _ := r.lease("w1"); l.Session != "s2" || l.Beat != r.time {
		t.Errorf("a new session does not begin anew: %+v", l)
	}
	if res := r.do(command.Beats(beatOf("w1"))); res.Items[0].Reason != candor.ReasonConflict {
		t.Errorf("the worker before is heard: %+v", res.Items)
	}
	r.mustWrite(observe(nodeRef("w1"), `{"capacity":{"cpu":2}}`))
	if l, ok := r.lease("w1"); ok {
		t.Errorf("a lease without a session: %+v", l)
	}
	r.mustWrite(observe(nodeRef("w1"), `{"capacity":{"cpu":2},"session":"s3"}`))
	r.mustWrite(remove(candor.KindNodes, "", "w1", ""))
	if l, ok := r.lease("w1"); ok {
		t.Errorf("a lease without a node: %+v", l)
	}
	r.m.View().Leases(func(l Lease) bool {
		t.Errorf("left over: %+v", l)
		return true
	})
	wantSame(t, "replayed", r.m, r.replayed())
}

// What a beat promised is kept with it: it is what its worker was told, and the next
// beat, or another session, says another thing.
func TestABeatKeepsWhatItPromised(t *testing.T) {
	r := fleet(t, "w1", "w2")
	promise := func(d int64) ItemResult {
		b := beatOf("w1")
		b.Promised = d
		return r.do(command.Beats(b)).Items[0]
	}
	if l, _ := r.lease("w1"); l.Promised != 0 {
		t.Errorf("the first observation promises %d", l.Promised)
	}
	promise(15e9)
	long := r.m.View()
	r.mustWrite(observe(nodeRef("w1"), `{"capacity":{"cpu":2},"session":"s-w1"}`))
	if l, _ := r.lease("w1"); l.Promised != 15e9 {
		t.Errorf("after an observation of the same session: %+v", l)
	}
	back := restored(t, r.m)
	wantSame(t, "restored", r.m, back)
	if l, _ := back.View().Lease("uid--w1"); l.Promised != 15e9 {
		t.Errorf("restored %+v", l)
	}
	promise(command.MaxPromised)
	for _, d := range []int64{-1, command.MaxPromised + 1} {
		if item := promise(d); item.Reason != candor.ReasonInvalid {
			t.Errorf("a beat promises %d: %+v", d, item)
		}
	}
	if l, _ := r.lease("w1"); l.Promised != command.MaxPromised || l.Beat == r.time {
		t.Errorf("a refused beat counts: %+v", l)
	}
	promise(3e9)
	if l, _ := r.lease("w1"); l.Promised != 3e9 || l.Beat != r.time {
		t.Errorf("%+v", l)
	}
	if l, _ := long.Lease("uid--w1"); l.Promised != 15e9 {
		t.Errorf("a published view changed: %+v", l)
	}
	wantSame(t, "replayed", r.m, r.replayed())
	r.mustWrite(observe(nodeRef("w1"), `{"capacity":{"cpu":2},"session":"s2"}`))
	if l, _ := r.lease("w1"); l.Promised != 0 || l.Session != "s2" {
		t.Errorf("a new session was promised what the one before was: %+v", l)
	}
}

// A restored cluster has heard of nobody yet, and nobody is late for it: all leases
// begin with the new history, whose cluster time goes on from there.
func TestARestoreGivesEveryWorkerItsWholeTime(t *testing.T) {
	r := fleet(t, "w1", "w2")
	r.time += 3600e9
	r.do(command.Beats(beatOf("w2")))
	var file bytes.Buffer
	if _, err := RewriteSnapshot(bytes.NewReader(snapshotOf(t, r.m)), &file, Rewrite{ClusterID: "c2", HistoryID: "h2", RaiseRevision: 1e9}); err != nil {
		t.Fatal(err)
	}
	m := New(Config{ClusterID: "c2"})
	if err := m.Restore(&file); err != nil {
		t.Fatal(err)
	}
	n := 0
	m.View().Leases(func(l Lease) bool {
		n++
		if l.Beat != m.View().ClusterTime() {
			t.Errorf("%+v, cluster time %d", l, m.View().ClusterTime())
		}
		return true
	})
	if n != 2 {
		t.Errorf("%d leases", n)
	}
}

func TestBeatsAreTheServersAndBounded(t *testing.T) {
	r := fleet(t, "w1")
	foreign, named, many := command.Beats(beatOf("w1")), command.Beats(beatOf("w1")), command.Beats(make([]command.Beat, command.MaxBeats+1)...)
	foreign.Actor = "worker/w1"
	named.RequestID, named.NotAfter = "r-1", r.time+5e9
	for want, c := range map[*command.Command]candor.Reason{foreign: candor.ReasonForbidden, named: candor.ReasonInvalid, many: candor.ReasonInvalid} {
		if res := r.do(want); res.Reason != c || res.Items != nil {
			t.Errorf("%+v, want %s", res, c)
		}
	}
}
