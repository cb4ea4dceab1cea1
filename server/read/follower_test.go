package read_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server/read"
)

func contextOf(t testing.TB) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return ctx, cancel
}

// proven has the node hold an applied proof of now.
func (n *node) proven(t testing.TB) {
	t.Helper()
	if _, _, err := n.View(t.Context(), bounded(time.Hour)); err != nil {
		t.Fatal(err)
	}
	n.root.calls()
}

func TestABoundedReadWithAYoungProofAsksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, follower(t))
		n.proven(t)
		time.Sleep(300 * time.Millisecond)
		view, w, err := n.View(t.Context(), bounded(300*time.Millisecond))
		if asked := n.root.calls(); err != nil || len(asked) > 0 {
			t.Fatalf("%v, asked %v", err, asked)
		}
		if w.StalenessBound == nil || *w.StalenessBound != 300*time.Millisecond || w.RootLag == nil || *w.RootLag != 0 || view.Token().Index != 6 {
			t.Errorf("served at %s with %+v", view.Token(), w)
		}
		if w.Class != candor.ServingBoundedStale || w.Mechanism != candor.MechanismProvenView || w.Served != candor.FreshnessBounded || w.ServedByLeader {
			t.Errorf("served as %+v", w)
		}
		_, w, err = n.View(t.Context(), candor.ReadRequest{Freshness: candor.FreshnessBestEffort})
		if asked := n.root.calls(); err != nil || len(asked) > 0 || w.Class != candor.ServingBoundedStale || w.Mechanism != candor.MechanismProvenView {
			t.Errorf("best effort inside the window: %+v, %v, asked %v", w, err, asked)
		}
	})
}

// TestABoundedReadThatMissesProbesOnce, and is served by what that proves.
func TestABoundedReadThatMissesProbesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := follower(t)
		r.takes, r.applies = 2*time.Millisecond, 3*time.Millisecond
		n := start(t, r)
		for range 2 {
			_, w, err := n.View(t.Context(), bounded(10*time.Millisecond))
			if err != nil || w.StalenessBound == nil || *w.StalenessBound > 5*time.Millisecond {
				t.Fatalf("%+v, %v", w, err)
			}
			if asked := r.calls(); len(asked) == 0 || asked[0] != "Prove" || slices.Contains(asked[1:], "Prove") {
				t.Errorf("the root was asked %v", asked)
			}
			time.Sleep(11 * time.Millisecond)
		}
		// A probe that fails is not repeated, whatever is left of the deadline.
		r.edit(func(r *root) { r.refuse = candor.Errorf(candor.ReasonRootUnavailable, "nobody leads") })
		_, w, err := n.View(within(t, time.Hour), bounded(10*time.Millisecond))
		wantReason(t, "without a leader", err, candor.ReasonStalenessExceeded)
		if asked := r.calls(); !slices.Equal(asked, []string{"Prove"}) || !strings.Contains(err.Error(), "nobody leads") {
			t.Errorf("%v; asked %v", err, asked)
		}
		if w.StalenessBound == nil || *w.StalenessBound <= 10*time.Millisecond {
			t.Errorf("the refusal does not say how old the proof is: %+v", w)
		}
		// Past the window, nothing of the root is available at all.
		time.Sleep(3 * time.Second)
		_, w, err = n.View(within(t, time.Hour), bounded(10*time.Millisecond))
		wantReason(t, "past the window", err, candor.ReasonRootUnavailable)
		if w.Mode != candor.ModeRootUnavailable || w.DegradedReason != "NO_PROOF" || w.CatchUp != "" || w.SyncHealth != "UNPROVEN" {
			t.Errorf("past the window: %+v", w)
		}
	})
}

// TestAProbeIsWaitedForNoLongerThanItIsWorthIt: a view that does not come as far
// as the proof cannot serve the read any more once the proof is too old.
func TestAProbeIsWaitedForNoLongerThanItIsWorthIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := follower(t)
		r.commit, r.takes = 99, 30*time.Millisecond
		r.ready = nil
		n := start(t, r)
		began := time.Now()
		_, w, err := n.View(within(t, time.Hour), bounded(100*time.Millisecond))
		wantReason(t, "a view that does not move", err, candor.ReasonStalenessExceeded)
		if took := time.Since(began); took != 100*time.Millisecond {
			t.Errorf("waited %s for a proof that is worth 100 ms", took)
		}
		if w.RootLag == nil || *w.RootLag != 95 || w.StalenessBound != nil {
			t.Errorf("95 entries are missing and no proof is applied: %+v", w)
		}
		if w.CurrentToken == nil || w.CurrentToken.Index != 99 {
			t.Errorf("the root is at index 99; the witness says %v", w.CurrentToken)
		}
		// A probe that takes longer than the bound is worth nothing.
		r.edit(func(r *root) { r.commit, r.takes = 4, 200*time.Millisecond })
		began = time.Now()
		_, _, err = n.View(within(t, time.Hour), bounded(100*time.Millisecond))
		wantReason(t, "a slow probe", err, candor.ReasonStalenessExceeded)
		if took := time.Since(began); took != 200*time.Millisecond {
			t.Errorf("a probe of 200 ms took %s", took)
		}
	})
}

// TestATokenWaitThatOutlivesTheProofLeadsToAnotherProbe.
func TestATokenWaitThatOutlivesTheProofLeadsToAnotherProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := follower(t)
		n := start(t, r)
		n.proven(t)
		r.edit(func(r *root) { r.applies, r.commit = 80*time.Millisecond, 7 })
		ask := bounded(50 * time.Millisecond)
		ask.Required = position(r, candor.Token{Term: 3, Index: 7, Revision: 7})
		view, w, err := n.View(t.Context(), ask)
		if err != nil || view.Token().Index != 7 || w.StalenessBound == nil || *w.StalenessBound > 50*time.Millisecond {
			t.Fatalf("%+v, %v", w, err)
		}
		if asked := r.calls(); !slices.Equal(asked, []string{"WaitApplied", "Prove"}) {
			t.Errorf("the root was asked %v", asked)
		}
		// A miss first, a wait that outlives what the probe found, then another.
		time.Sleep(time.Second)
		r.edit(func(r *root) { r.commit = 7 })
		ask.Required = position(r, candor.Token{Term: 3, Index: 8, Revision: 8})
		_, w, err = n.View(t.Context(), ask)
		if err != nil || w.ServedToken.Index != 8 || *w.StalenessBound > 50*time.Millisecond {
			t.Fatalf("%+v, %v", w, err)
		}
		if asked := r.calls(); !slices.Equal(asked, []string{"Prove", "WaitApplied", "Prove"}) {
			t.Errorf("the root was asked %v", asked)
		}
		// Without an answer to the other probe the read is refused, not served old.
		n = start(t, follower(t))
		n.proven(t)
		n.root.edit(func(r *root) {
			r.applies, r.refuse = 80*time.Millisecond, candor.Errorf(candor.ReasonRootUnavailable, "nobody leads")
		})
		ask.Required = position(n.root, candor.Token{Term: 3, Index: 7, Revision: 7})
		_, _, err = n.View(t.Context(), ask)
		wantReason(t, "no other proof", err, candor.ReasonStalenessExceeded)
	})
}

func TestALagBoundCountsFromTheNewestProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := follower(t)
		n := start(t, r)
		n.proven(t)
		// The view holds a young proof; a newer one says that it misses 93 entries.
		n.Note(read.Proof{Index: 99, Term: 3, Began: r.Elapsed(0) + 1, Root: candor.Token{Term: 3, Index: 99, Revision: 99}})
		for most, want := range map[uint64]candor.Reason{93: "", 92: candor.ReasonRootLagExceeded} {
			ask := bounded(time.Second)
			ask.MaxLag = &most
			_, w, err := n.View(t.Context(), ask)
			wantReason(t, "with a lag of 93", err, want)
			if w.RootLag == nil || *w.RootLag != 93 || w.SyncHealth != "BEHIND" {
				t.Errorf("%+v", w)
			}
			if err != nil && !strings.Contains(err.Error(), "93 entries") {
				t.Errorf("the refusal does not say the lag: %v", err)
			}
		}
	})
}

func TestAFollowerServesStrongWhenItMayAskTheLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := follower(t)
		r.takes, r.applies = 4*time.Millisecond, 6*time.Millisecond
		n := start(t, r)
		n.proven(t)
		// However young its own proof, a write may have been acknowledged since.
		r.edit(func(r *root) { r.commit = 7 })
		view, w, err := n.View(t.Context(), candor.ReadRequest{FollowerReadIndex: true})
		if err != nil || view.Token().Index != 7 {
			t.Fatalf("%v: served %+v", err, w)
		}
		if asked := r.calls(); !slices.Equal(asked, []string{"Prove", "WaitApplied"}) {
			t.Errorf("the root was asked %v", asked)
		}
		if w.ServedByLeader || w.Mechanism != candor.MechanismFollowerReadIndex || w.Class != candor.ServingAuthoritative || *w.StalenessBound != 10*time.Millisecond {
			t.Errorf("served as %+v", w)
		}
		// A leader that may ask confirms itself all the same.
		n = start(t, leader(t))
		_, w, err = n.View(t.Context(), candor.ReadRequest{FollowerReadIndex: true})
		if asked := n.root.calls(); err != nil || asked[0] != "Confirm" || !w.ServedByLeader || w.Mechanism != candor.MechanismLeaderReadIndex {
			t.Errorf("%v: asked %v, served as %+v", err, asked, w)
		}
	})
}

// TestAStreamMayGoOnAsLongAsAProofIsYoung.
func TestAStreamMayGoOnAsLongAsAProofIsYoung(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, follower(t))
		if n.Within(time.Hour) {
			t.Error("within an hour with nothing proven")
		}
		n.proven(t)
		time.Sleep(time.Second)
		if !n.Within(time.Second) || n.Within(time.Second-1) {
			t.Error("a proof of a second ago is within a second and no less")
		}
	})
}
