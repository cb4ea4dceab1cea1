package read_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/server/read"
)

func TestAStrongReadHoldsEverythingAcknowledgedBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := leader(t)
		r.takes, r.applies = 20*time.Millisecond, 10*time.Millisecond
		n := start(t, r)
		for _, row := range []struct {
			class candor.Freshness
			asks  []string
			age   time.Duration
		}{
			{"", []string{"Confirm", "WaitApplied"}, 30 * time.Millisecond},
			{candor.FreshnessStrong, []string{"Confirm"}, 20 * time.Millisecond},
		} {
			view, w, err := n.View(t.Context(), candor.ReadRequest{Freshness: row.class})
			if err != nil {
				t.Fatal(err)
			}
			if asked := r.calls(); !slices.Equal(asked, row.asks) {
				t.Errorf("the root was asked %v, want %v", asked, row.asks)
			}
			served := candor.Token{Term: 3, Index: 6, Revision: 6}
			if view.Token() != served {
				t.Errorf("served at %s; %s was acknowledged", view.Token(), served)
			}
			lag := uint64(0)
			want := candor.Witness{
				NodeID: "node-1", NodeName: "n1", BootID: "boot-1", ClusterID: "c1", HistoryID: view.HistoryID(),
				ServedToken: served, CurrentToken: &served, RootLag: &lag, StalenessBound: &row.age,
				Requested: candor.FreshnessStrong, Served: candor.FreshnessStrong, Class: candor.ServingAuthoritative,
				ServedByLeader: true, Mechanism: candor.MechanismLeaderReadIndex,
				CatchUp: candor.CatchUpFresh, CatchUpAction: candor.CatchUpNone, Mode: candor.ModeHealthy, SyncHealth: "IN_SYNC",
				Leader: r.leader, ClusterTime: 6e9, ViewUpdatedAt: updated,
			}
			if diff := cmp.Diff(want, w); diff != "" {
				t.Errorf("witness (-want +got):\n%s", diff)
			}
			request, err := freshness.RequestOf(&candor.ReadRequest{Freshness: row.class})
			if err == nil {
				err = freshness.Verify(&request, &w)
			}
			if err != nil {
				t.Errorf("the witness does not stand up to the rules: %v", err)
			}
		}
	})
}

// TestABestEffortReadAsksNobodyAndClaimsNothing: what is not proven is absent,
// on a leader too, and never a zero that looks like a fact.
func TestABestEffortReadAsksNobodyAndClaimsNothing(t *testing.T) {
	for name, r := range map[string]*root{"leader": leader(t), "follower": follower(t)} {
		view, w, err := start(t, r).View(t.Context(), candor.ReadRequest{Freshness: candor.FreshnessBestEffort})
		if err != nil {
			t.Fatal(err)
		}
		if asked := r.calls(); len(asked) > 0 {
			t.Errorf("%s: the root was asked %v", name, asked)
		}
		want := candor.Witness{
			NodeID: "node-1", NodeName: "n1", BootID: "boot-1", ClusterID: "c1", HistoryID: view.HistoryID(),
			ServedToken: candor.Token{Term: 3, Index: 4, Revision: 4}, Leader: r.leader, ClusterTime: 4e9, ViewUpdatedAt: updated,
			Requested: candor.FreshnessBestEffort, Served: candor.FreshnessBestEffort, Class: candor.ServingDegraded, Mechanism: candor.MechanismView,
			CatchUpAction: candor.CatchUpNone, Mode: candor.ModeRootUnavailable, DegradedReason: "NO_PROOF", SyncHealth: "UNPROVEN",
		}
		if diff := cmp.Diff(want, w); diff != "" {
			t.Errorf("%s: witness (-want +got):\n%s", name, diff)
		}
	}
}

// TestAWitnessThatAsksNobodyClaimsNothing: the one of writes and of nodes'
// own answers.
func TestAWitnessThatAsksNobodyClaimsNothing(t *testing.T) {
	r := leader(t)
	n := start(t, r)
	view := r.machine.View()
	want := candor.Witness{
		NodeID: "node-1", NodeName: "n1", BootID: "boot-1", ClusterID: "c1", HistoryID: view.HistoryID(),
		ServedToken: view.Token(), Leader: r.leader, ClusterTime: 4e9, ViewUpdatedAt: updated,
		CatchUpAction: candor.CatchUpNone, Mode: candor.ModeRootUnavailable, DegradedReason: "NO_PROOF", SyncHealth: "UNPROVEN",
	}
	if diff := cmp.Diff(want, n.Witness(view)); diff != "" {
		t.Errorf("witness (-want +got):\n%s", diff)
	}
	r.edit(func(r *root) { r.leader = nil })
	if w := n.Witness(view); w.Leader != nil {
		t.Errorf("a leader that nobody knows is %+v", w.Leader)
	}
	if asked := r.calls(); len(asked) > 0 {
		t.Errorf("the root was asked %v", asked)
	}
}

// TestAReadIsServedAsAskedOrRefusedWithItsReason, and the refusal says what the
// node knows. It never comes with a view, nor as a weaker class.
func TestAReadIsServedAsAskedOrRefusedWithItsReason(t *testing.T) {
	unconfirmed := func(r *root) {
		r.refuse = &candor.Error{Reason: candor.ReasonLeadershipUnconfirmed, Message: "1 of 3 voters"}
	}
	silent := func(r *root) {
		r.refuse = &candor.Error{Reason: candor.ReasonRootUnavailable, Message: "no leader is known"}
	}
	deposed := func(r *root) {
		r.refuse = &candor.Error{Reason: candor.ReasonNotLeader, Message: "server s2 is in term 4"}
	}
	late := func(r *root) { r.commit = 99 }
	best := func(t candor.PortableToken) candor.ReadRequest {
		return candor.ReadRequest{Freshness: candor.FreshnessBestEffort, Required: t}
	}
	for _, row := range []struct {
		name string
		root func(testing.TB) *root
		edit func(*root)
		ask  candor.ReadRequest
		want candor.Reason
		says string
	}{
		{"strong on a follower", follower, nil, candor.ReadRequest{}, candor.ReasonNotLeader, "does not lead"},
		{"strong, unconfirmed", leader, unconfirmed, candor.ReadRequest{}, candor.ReasonLeadershipUnconfirmed, "1 of 3 voters"},
		{"strong, deposed meanwhile", leader, deposed, candor.ReadRequest{}, candor.ReasonNotLeader, "server s2 is in term 4"},
		{"strong, view too late", leader, late, candor.ReadRequest{}, candor.ReasonRootTokenNotReached, "did not reach index 99"},
		{"strong on a follower, no leader", follower, silent, candor.ReadRequest{FollowerReadIndex: true}, candor.ReasonLeadershipUnconfirmed, "no leader is known"},
		{"bounded, no leader", follower, silent, bounded(time.Hour), candor.ReasonRootUnavailable, "no leader is known"},
		{"bounded, unconfirmed", leader, unconfirmed, bounded(time.Hour), candor.ReasonRootUnavailable, "1 of 3 voters"},
		{"bounded, deposed meanwhile", leader, deposed, bounded(time.Hour), candor.ReasonRootUnavailable, "server s2 is in term 4"},
		{"bounded by nothing at all", leader, nil, bounded(-time.Second), candor.ReasonInvalid, "want more than 0"},
		{"unknown class", leader, nil, candor.ReadRequest{Freshness: "FRESH"}, candor.ReasonInvalid, "FRESH"},
		{"revision ahead", leader, nil, candor.ReadRequest{AtRevision: 7}, candor.ReasonRootTokenNotReached, "revision 7"},
		{"revision below the floor", leader, func(r *root) { r.ready[0] = entry(5, command.Compact(4)) }, candor.ReadRequest{AtRevision: 3}, candor.ReasonCompacted, "floor is 4"},
		{"token of another history", follower, nil, best(candor.PortableToken{Token: candor.Token{Index: 1}, ClusterID: "c1", HistoryID: "h9"}), candor.ReasonHistoryMismatch, "h9"},
		{"token of another history, ahead", follower, nil, best(candor.PortableToken{Token: candor.Token{Index: 7}, ClusterID: "c1", HistoryID: "h9"}), candor.ReasonHistoryMismatch, "h9"},
		{"token of another history, passed without its revision", follower, nil, best(candor.PortableToken{Token: candor.Token{Index: 1, Revision: 99}, ClusterID: "c1", HistoryID: "h9"}), candor.ReasonHistoryMismatch, "h9"},
		{"token of another cluster", follower, nil, best(candor.PortableToken{Token: candor.Token{Index: 1}, ClusterID: "c2"}), candor.ReasonHistoryMismatch, "c2"},
		{"token ahead", follower, nil, best(candor.PortableToken{Token: candor.Token{Index: 99}}), candor.ReasonRootTokenNotReached, "not in time"},
		{"token that this history never had", follower, nil, best(candor.PortableToken{Token: candor.Token{Index: 5, Revision: 99}}), candor.ReasonTokenConflict, "revision 99"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := row.root(t)
				if row.edit != nil {
					row.edit(r)
				}
				view, w, err := start(t, r).View(within(t, time.Second), row.ask)
				if view != nil || candor.ReasonOf(err) != row.want || !strings.Contains(err.Error(), row.says) {
					t.Fatalf("%v, want %s that says %q", err, row.want, row.says)
				}
				var e *candor.Error
				if !errors.As(err, &e) || e.Witness == nil {
					t.Fatal("the refusal carries no witness")
				}
				if diff := cmp.Diff(w, *e.Witness); diff != "" {
					t.Errorf("the refusal carries another witness:\n%s", diff)
				}
				if w.NodeID != "node-1" || w.BootID != "boot-1" || w.ServedToken != r.machine.View().Token() {
					t.Errorf("the witness does not say what refused: %+v", w)
				}
				if w.Served != "" || w.Class != "" || w.Mechanism != "" || w.ServedByLeader {
					t.Errorf("a refusal claims to have served: %+v", w)
				}
				if want := row.ask.Freshness; w.Requested != want && want != "" {
					t.Errorf("the witness says that %s was asked for", w.Requested)
				}
				if diff := cmp.Diff(r.leader, e.Leader); diff != "" {
					t.Errorf("hint (-root +refusal):\n%s", diff)
				}
			})
		})
	}
}

// TestARefusalLeavesTheRootsErrorAlone: one error value serves every reader.
func TestARefusalLeavesTheRootsErrorAlone(t *testing.T) {
	r := leader(t)
	shared := &candor.Error{Reason: candor.ReasonNotLeader, Message: "this server does not lead"}
	r.refuse = shared
	if _, _, err := start(t, r).View(t.Context(), candor.ReadRequest{}); !errors.Is(err, &candor.Error{Reason: candor.ReasonNotLeader}) {
		t.Fatal(err)
	}
	if shared.Witness != nil || shared.Leader != nil || shared.Op != "" {
		t.Errorf("the shared error is now %+v", shared)
	}
}

// TestAViewIsTakenAfterTheWaits: an answer covers the token that it was asked
// for, whatever the view was before.
func TestAViewIsTakenAfterTheWaits(t *testing.T) {
	r := follower(t)
	want := candor.Token{Term: 3, Index: 7, Revision: 7}
	view, w, err := start(t, r).View(t.Context(), candor.ReadRequest{Freshness: candor.FreshnessBestEffort, Required: position(r, want)})
	if err != nil || view.Token() != want || w.ServedToken != want {
		t.Fatalf("%v: served at %s, want %s", err, w.ServedToken, want)
	}
	if w.RootLag != nil || w.StalenessBound != nil {
		t.Errorf("a token that was reached proves no lag: %+v", w)
	}
	// A leader that has more to wait for than its proof.
	r = leader(t)
	view, w, err = start(t, r).View(t.Context(), candor.ReadRequest{Required: position(r, want)})
	if err != nil || view.Token() != want || w.Served != candor.FreshnessStrong {
		t.Fatalf("%v: served at %s, want %s", err, w.ServedToken, want)
	}
	// One that the view covers costs nothing.
	r = follower(t)
	_, _, err = start(t, r).View(t.Context(), candor.ReadRequest{Freshness: candor.FreshnessBestEffort, Required: position(r, r.machine.View().Token())})
	if asked := r.calls(); err != nil || len(asked) > 0 {
		t.Errorf("%v, asked %v", err, asked)
	}
}

func TestAnOlderStateIsServedFromTheFloorOn(t *testing.T) {
	n := start(t, leader(t))
	for revision := uint64(1); revision <= 6; revision++ {
		view, w, err := n.View(t.Context(), candor.ReadRequest{AtRevision: revision})
		if err != nil || view.Token().Revision != 6 || w.ServedToken.Revision != 6 {
			t.Errorf("revision %d: served at %s, %v", revision, w.ServedToken, err)
		}
	}
}

func TestAReaderNeedsWhatItStandsOn(t *testing.T) {
	for name, lose := range map[string]func(*read.Config){
		"machine":  func(c *read.Config) { c.Machine = nil },
		"root":     func(c *read.Config) { c.Root = nil },
		"node":     func(c *read.Config) { c.Node = nil },
		"trust":    func(c *read.Config) { c.Trust = nil },
		"node ID":  func(c *read.Config) { c.Identity.NodeID = "" },
		"boot ID":  func(c *read.Config) { c.Identity.BootID = "" },
		"interval": func(c *read.Config) { c.Beacon = 0 },
		"policy":   func(c *read.Config) { c.Policy.Window = c.Policy.FreshAge - 1 },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a reader without %s was made", name)
				}
			}()
			start(t, follower(t), lose)
		}()
	}
}

// TestADeadlineAndACancelEndAReadWhereverItWaits.
func TestADeadlineAndACancelEndAReadWhereverItWaits(t *testing.T) {
	ahead := candor.PortableToken{Token: candor.Token{Index: 99}}
	for _, row := range []struct {
		name            string
		root            func(testing.TB) *root
		edit            func(*root)
		ask             candor.ReadRequest
		late, cancelled candor.Reason
	}{
		{"in a confirmation", leader, func(r *root) { r.hangs = true }, candor.ReadRequest{}, candor.ReasonLeadershipUnconfirmed, candor.ReasonCanceled},
		{"for a read index", follower, func(r *root) { r.hangs = true }, candor.ReadRequest{FollowerReadIndex: true}, candor.ReasonLeadershipUnconfirmed, candor.ReasonCanceled},
		{"for the view to reach it", leader, func(r *root) { r.commit = 99 }, candor.ReadRequest{}, candor.ReasonRootTokenNotReached, candor.ReasonCanceled},
		{"in a probe", follower, func(r *root) { r.hangs = true }, bounded(time.Hour), candor.ReasonRootUnavailable, candor.ReasonCanceled},
		{"for what a probe found", follower, func(r *root) { r.commit = 99 }, bounded(time.Hour), candor.ReasonStalenessExceeded, candor.ReasonCanceled},
		{"for a token", follower, nil, candor.ReadRequest{Freshness: candor.FreshnessBestEffort, Required: ahead}, candor.ReasonRootTokenNotReached, candor.ReasonCanceled},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := row.root(t)
				if row.edit != nil {
					row.edit(r)
				}
				n := start(t, r)
				began := time.Now()
				_, _, err := n.View(within(t, 50*time.Millisecond), row.ask)
				wantReason(t, "at the deadline", err, row.late)
				ctx, cancel := contextOf(t)
				time.AfterFunc(30*time.Millisecond, cancel)
				_, _, err = n.View(ctx, row.ask)
				wantReason(t, "cancelled", err, row.cancelled)
				// A tenth of what is left is kept for the answer.
				if took := time.Since(began); took > 80*time.Millisecond || took < 75*time.Millisecond {
					t.Errorf("two reads of 50 ms and 30 ms took %s", took)
				}
			})
		})
	}
}

// TestManyReadersMayReadAtOnce, while the view moves and the node's trust does.
func TestManyReadersMayReadAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := leader(t)
		r.takes = time.Millisecond
		n := start(t, r, beating)
		var wait sync.WaitGroup
		for i := range 16 {
			wait.Go(func() {
				for k := range 20 {
					class := []candor.Freshness{candor.FreshnessStrong, candor.FreshnessBounded, candor.FreshnessBestEffort}[(i+k)%3]
					view, w, err := n.View(t.Context(), candor.ReadRequest{Freshness: class})
					if err != nil || view.Token() != w.ServedToken || w.Served != class {
						t.Errorf("%s: %+v, %v", class, w, err)
					}
					n.Status()
					n.Witness(view)
					n.Within(time.Second)
				}
			})
		}
		wait.Wait()
		total := uint64(0)
		for _, c := range n.Status().Reads {
			total += c.Count
		}
		if total != 320 {
			t.Errorf("%d reads were counted of 320", total)
		}
	})
}
