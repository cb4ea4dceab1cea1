package read_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/server/read"
)

// classes asks once for each.
func classes() map[string]candor.ReadRequest {
	return map[string]candor.ReadRequest{
		"strong": {}, "follower": {FollowerReadIndex: true}, "bounded": bounded(time.Hour), "best": {Freshness: candor.FreshnessBestEffort},
	}
}

// served is what becomes of each class.
func (n *node) served(t testing.TB) map[string]candor.Reason {
	out := map[string]candor.Reason{}
	for name, ask := range classes() {
		_, w, err := n.View(t.Context(), ask)
		out[name] = candor.ReasonOf(err)
		if name == "best" && err == nil {
			out[name] = candor.Reason(w.Class)
		}
	}
	return out
}

func all(reason candor.Reason) map[string]candor.Reason {
	return map[string]candor.Reason{"strong": reason, "follower": reason, "bounded": reason, "best": candor.Reason(candor.ServingDegraded)}
}

// TestANodeRecoversUntilItsViewIsBack: where its log ended at the start, or
// where its first proof was, whichever comes first; and for good.
func TestANodeRecoversUntilItsViewIsBack(t *testing.T) {
	t.Run("first proof", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := follower(t)
			r.seen.Recovered = false
			n := start(t, r)
			for range 2 {
				got := n.served(t)
				want := all(candor.ReasonRecovering)
				want["strong"] = candor.ReasonNotLeader
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("recovering (-want +got):\n%s", diff)
				}
			}
			// Index 6 was the first proof's; later ones ask for more.
			r.edit(func(r *root) { r.commit = 7 })
			r.apply(5)
			n.served(t)
			if c := n.Status().Condition; c.CatchUp != candor.CatchUpRecovering || c.Action != candor.CatchUpAdvance {
				t.Errorf("one entry before the first proof: %+v", c)
			}
			r.apply(6)
			if _, _, err := n.View(t.Context(), bounded(time.Hour)); err != nil {
				t.Errorf("at the first proof: %v", err)
			}
		})
	})
	t.Run("log", func(t *testing.T) {
		r := follower(t)
		r.seen.Recovered, r.commit = false, 99
		n := start(t, r)
		n.served(t)
		r.edit(func(r *root) { r.seen.Recovered = true })
		if c := n.Status().Condition; c.CatchUp == candor.CatchUpRecovering {
			t.Errorf("with all of its log applied: %+v", c)
		}
		r.edit(func(r *root) { r.seen.Recovered = false })
		if c := n.Status().Condition; c.CatchUp == candor.CatchUpRecovering {
			t.Errorf("recovering a second time: %+v", c)
		}
	})
}

func TestANodeWithoutAViewServesNothing(t *testing.T) {
	r := follower(t)
	r.machine = fsm.New(fsm.Config{ClusterID: "c1"})
	n := start(t, r)
	for name, ask := range classes() {
		view, w, err := n.View(t.Context(), ask)
		wantReason(t, name, err, candor.ReasonViewUnavailable)
		if view != nil || w.CatchUp != candor.CatchUpUnavailable || w.Mode != candor.ModeRootUnavailable || w.DegradedReason != "NO_VIEW" {
			t.Errorf("%s: %+v", name, w)
		}
	}
	if asked := r.calls(); len(asked) > 0 {
		t.Errorf("asked %v for a view that there is not", asked)
	}
}

// TestAViewThatMustNotBeReliedOnServesBestEffortAlone, whatever is proven.
func TestAViewThatMustNotBeReliedOnServesBestEffortAlone(t *testing.T) {
	for _, why := range []freshness.ModeReason{freshness.ReasonQuarantined, freshness.ReasonRemoved, freshness.ReasonOperator} {
		for name, r := range map[string]*root{"leader": leader(t), "follower": follower(t)} {
			n := start(t, r)
			n.proven(t)
			n.judge.edit(func(j *judge) { j.why = why })
			if diff := cmp.Diff(all(candor.ReasonViewOnly), n.served(t)); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", name, why, diff)
			}
			if asked := r.calls(); len(asked) > 0 {
				t.Errorf("%s, %s: asked %v", name, why, asked)
			}
			_, w, err := n.View(t.Context(), candor.ReadRequest{Freshness: candor.FreshnessBestEffort})
			if err != nil || w.Mode != candor.ModeViewOnly || w.DegradedReason != string(why) || w.Mechanism != candor.MechanismView {
				t.Errorf("%s, %s: %+v, %v", name, why, w, err)
			}
		}
	}
}

// TestALeaderThatCannotSendWhatIsMissingSaysSo.
func TestALeaderThatCannotSendWhatIsMissingSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := follower(t)
		r.first, r.commit, r.seen.LastLog = 10, 99, 8
		n := start(t, r)
		_, w, err := n.View(within(t, time.Second), bounded(time.Second))
		wantReason(t, "entry 9 is gone", err, candor.ReasonBootstrapRequired)
		if w.CatchUp != candor.CatchUpBootstrapRequired || w.CatchUpAction != candor.CatchUpBootstrap {
			t.Errorf("%+v", w)
		}
		r.edit(func(r *root) { r.seen.Installing = true })
		if c := n.Status().Condition; c.CatchUp != candor.CatchUpRecovering || c.Action != candor.CatchUpBootstrap {
			t.Errorf("with a snapshot on its way: %+v", c)
		}
		// The leader's log is this node's own once it leads.
		r.edit(func(r *root) { r.seen.Installing, r.seen.Leads = false, true })
		if c := n.Status().Condition; c.CatchUp == candor.CatchUpBootstrapRequired {
			t.Errorf("a leader waits for its own snapshot: %+v", c)
		}
	})
}

// TestChangesTellEachConditionOnce, in order, to whoever watches.
func TestChangesTellEachConditionOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := follower(t)
		r.commit = 4
		n := start(t, r, beating)
		synctest.Wait()
		unproven, _, first := n.Changes(0)
		if len(unproven) != 1 || unproven[0].Condition != n.Condition() || unproven[0].Condition.Reason != freshness.ReasonNoProof {
			t.Fatalf("before anything is proven: %v", unproven)
		}
		<-first
		changes, position, next := n.Changes(0)
		if len(changes) != 1 || changes[0].Condition.Mode != candor.ModeHealthy || changes[0].Condition.CatchUp != candor.CatchUpFresh {
			t.Fatalf("the first: %+v", changes)
		}
		if changes[0].After != r.machine.View().Token() || changes[0].Before.Index != 4 || changes[0].At != time.Now() {
			t.Errorf("the first: %+v", changes[0])
		}
		// Nothing new is no change, however often it is looked at.
		time.Sleep(time.Second)
		synctest.Wait() // for the beat of this instant
		select {
		case <-next:
			t.Error("the channel is closed and the condition is what it was")
		default:
		}
		// Quarantine is seen at once, not at the next beat.
		r.apply(5)
		began := time.Now()
		n.judge.edit(func(j *judge) { j.why = freshness.ReasonQuarantined })
		<-next
		if took := time.Since(began); took > 0 {
			t.Errorf("told after %s", took)
		}
		changes, after, next := n.Changes(position)
		if len(changes) != 1 || changes[0].Condition.Reason != freshness.ReasonQuarantined || changes[0].Before.Index != 4 || changes[0].After.Index != 5 {
			t.Fatalf("the second: %+v", changes)
		}
		if n.Condition() != changes[0].Condition {
			t.Errorf("the condition is %+v", n.Condition())
		}
		n.judge.edit(func(j *judge) { j.why, j.reloading = "", true })
		<-next
		if changes, _, _ = n.Changes(after); len(changes) != 1 || changes[0].Condition.Action != candor.CatchUpReload {
			t.Fatalf("the third: %+v", changes)
		}
		// Whoever begins now is told the newest alone; whoever stayed away, all.
		if changes, _, _ = n.Changes(0); len(changes) != 1 || changes[0].Condition.Action != candor.CatchUpReload {
			t.Errorf("a new watcher is told %+v", changes)
		}
		if changes, _, _ = n.Changes(position); len(changes) != 2 {
			t.Errorf("a watcher of the first is told %+v", changes)
		}
	})
}

// TestASlowWatcherGetsTheNewest: what it missed by far is skipped, in order.
func TestASlowWatcherGetsTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, follower(t), beating)
		synctest.Wait()
		var last freshness.ModeReason
		for i := range 199 {
			last = []freshness.ModeReason{freshness.ReasonOperator, freshness.ReasonQuarantined}[i%2]
			n.judge.edit(func(j *judge) { j.why = last })
			synctest.Wait()
		}
		changes, position, next := n.Changes(1)
		if position != 200 || len(changes) == 0 || len(changes) >= 200 || changes[len(changes)-1].Condition.Reason != last {
			t.Fatalf("%d changes up to %d", len(changes), position)
		}
		for i := 1; i < len(changes); i++ {
			if changes[i].Condition == changes[i-1].Condition {
				t.Errorf("change %d is none", i)
			}
		}
		if more, _, _ := n.Changes(position); len(more) != 0 {
			t.Errorf("%d more after the newest", len(more))
		}
		n.judge.edit(func(j *judge) { j.why = "" })
		<-next
		if more, after, _ := n.Changes(position); len(more) != 1 || after != 201 {
			t.Errorf("%d more up to %d after one", len(more), after)
		}
	})
}

func TestReadsAreCountedAsTheyWereServed(t *testing.T) {
	n := start(t, leader(t))
	for _, ask := range []candor.ReadRequest{
		{Freshness: candor.FreshnessBestEffort}, {}, {}, {FollowerReadIndex: true}, bounded(time.Hour), {Freshness: candor.FreshnessBestEffort}, {Freshness: "FRESH"}, {AtRevision: 99},
	} {
		_, _, _ = n.View(t.Context(), ask)
	}
	n.root.edit(func(r *root) { r.seen.Leads = false })
	_, _, _ = n.View(t.Context(), candor.ReadRequest{FollowerReadIndex: true})
	_, _, _ = n.View(t.Context(), candor.ReadRequest{})
	want := []read.Count{
		{Class: candor.FreshnessStrong, Mechanism: candor.MechanismLeaderReadIndex, Count: 3},
		{Class: candor.FreshnessStrong, Mechanism: candor.MechanismFollowerReadIndex, Count: 1},
		{Class: candor.FreshnessBounded, Mechanism: candor.MechanismProvenView, Count: 1},
		{Class: candor.FreshnessBestEffort, Mechanism: candor.MechanismProvenView, Count: 1},
		{Class: candor.FreshnessBestEffort, Mechanism: candor.MechanismView, Count: 1},
	}
	if diff := cmp.Diff(want, n.Status().Reads); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}
