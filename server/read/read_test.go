package read_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/server/read"
)

func TestAStrongReadHoldsEverythingAcknowledgedBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := leader(t)
		r.confirms, r.applies = 20*time.Millisecond, 10*time.Millisecond
		for _, class := range []candor.Freshness{"", candor.FreshnessStrong} {
			r.asked = nil
			view, w, err := reader(r).View(t.Context(), candor.ReadRequest{Freshness: class})
			if err != nil {
				t.Fatal(err)
			}
			if want := []string{"ReadIndex", "WaitApplied"}; !slices.Equal(r.asked, want) {
				t.Errorf("the root was asked %v, want %v", r.asked, want)
			}
			served := candor.Token{Term: 3, Index: 6, Revision: 6}
			if view.Token() != served {
				t.Errorf("served at %s; %s was acknowledged", view.Token(), served)
			}
			age, lag := 30*time.Millisecond, uint64(0)
			want := candor.Witness{
				NodeID: "node-1", NodeName: "n1", BootID: "boot-1", ClusterID: "c1", HistoryID: view.HistoryID(),
				ServedToken: served, CurrentToken: &served, RootLag: &lag, StalenessBound: &age,
				Requested: candor.FreshnessStrong, Served: candor.FreshnessStrong, Class: candor.ServingAuthoritative,
				ServedByLeader: true, Mechanism: candor.MechanismLeaderReadIndex,
				CatchUp: candor.CatchUpFresh, CatchUpAction: candor.CatchUpNone, Mode: candor.ModeHealthy,
				Leader: r.leader, ClusterTime: 6e9,
			}
			if diff := cmp.Diff(want, w); diff != "" {
				t.Errorf("witness (-want +got):\n%s", diff)
			}
		}
	})
}

// TestABestEffortReadAsksNobodyAndClaimsNothing: what is not proven is absent,
// on a leader too, and never a zero that looks like a fact.
func TestABestEffortReadAsksNobodyAndClaimsNothing(t *testing.T) {
	for name, r := range map[string]*root{"leader": leader(t), "follower": follower(t)} {
		view, w, err := reader(r).View(t.Context(), candor.ReadRequest{Freshness: candor.FreshnessBestEffort})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.asked) > 0 {
			t.Errorf("%s: the root was asked %v", name, r.asked)
		}
		want := candor.Witness{
			NodeID: "node-1", NodeName: "n1", BootID: "boot-1", ClusterID: "c1", HistoryID: view.HistoryID(),
			ServedToken: candor.Token{Term: 3, Index: 4, Revision: 4}, Leader: r.leader, ClusterTime: 4e9,
			Requested: candor.FreshnessBestEffort, Served: candor.FreshnessBestEffort, Class: candor.ServingDegraded, Mechanism: candor.MechanismView,
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
	view := r.machine.View()
	want := candor.Witness{
		NodeID: "node-1", NodeName: "n1", BootID: "boot-1", ClusterID: "c1", HistoryID: view.HistoryID(),
		ServedToken: view.Token(), Leader: r.leader, ClusterTime: 4e9,
	}
	if diff := cmp.Diff(want, reader(r).Witness(view)); diff != "" {
		t.Errorf("witness (-want +got):\n%s", diff)
	}
	r.leader = nil
	if w := reader(r).Witness(view); w.Leader != nil {
		t.Errorf("a leader that nobody knows is %+v", w.Leader)
	}
}

// TestAReadIsServedAsAskedOrRefusedWithItsReason, and the refusal says what the
// node knows. It never comes with a view, nor as a weaker class.
func TestAReadIsServedAsAskedOrRefusedWithItsReason(t *testing.T) {
	hour, negative := time.Hour, -time.Second
	unconfirmed := func(r *root) {
		r.refuse = &candor.Error{Reason: candor.ReasonLeadershipUnconfirmed, Message: "1 of 3"}
	}
	for _, row := range []struct {
		name string
		root *root
		edit func(*root)
		ask  candor.ReadRequest
		want candor.Reason
	}{
		{"strong on a follower", follower(t), nil, candor.ReadRequest{}, candor.ReasonNotLeader},
		{"strong, unconfirmed", leader(t), unconfirmed, candor.ReadRequest{}, candor.ReasonLeadershipUnconfirmed},
		{"strong, view too late", leader(t), func(r *root) { r.confirmed = 99 }, candor.ReadRequest{}, candor.ReasonTimedOut},
		{"bounded on a follower", follower(t), nil, candor.ReadRequest{Freshness: candor.FreshnessBounded, MaxStaleness: &hour}, candor.ReasonRootUnavailable},
		{"bounded, unconfirmed", leader(t), unconfirmed, candor.ReadRequest{Freshness: candor.FreshnessBounded, MaxStaleness: &hour}, candor.ReasonLeadershipUnconfirmed},
		{"bounded by nothing at all", leader(t), nil, candor.ReadRequest{Freshness: candor.FreshnessBounded, MaxStaleness: &negative}, candor.ReasonStalenessExceeded},
		{"unknown class", leader(t), nil, candor.ReadRequest{Freshness: "FRESH"}, candor.ReasonInvalid},
		{"revision ahead", leader(t), nil, candor.ReadRequest{AtRevision: 7}, candor.ReasonRootTokenNotReached},
		{"revision below the floor", leader(t), func(r *root) {
			r.ready[0] = entry(5, command.Compact(4))
		}, candor.ReadRequest{AtRevision: 3}, candor.ReasonCompacted},
		{"token of another history", follower(t), nil, candor.ReadRequest{
			Freshness: candor.FreshnessBestEffort, Required: candor.PortableToken{Token: candor.Token{Index: 1}, ClusterID: "c1", HistoryID: "h9"},
		}, candor.ReasonHistoryMismatch},
		{"token of another cluster", follower(t), nil, candor.ReadRequest{
			Freshness: candor.FreshnessBestEffort, Required: candor.PortableToken{Token: candor.Token{Index: 1}, ClusterID: "c2"},
		}, candor.ReasonHistoryMismatch},
		{"token ahead", follower(t), nil, candor.ReadRequest{
			Freshness: candor.FreshnessBestEffort, Required: candor.PortableToken{Token: candor.Token{Index: 99}},
		}, candor.ReasonRootTokenNotReached},
		{"token that this history never had", follower(t), nil, candor.ReadRequest{
			Freshness: candor.FreshnessBestEffort, Required: candor.PortableToken{Token: candor.Token{Index: 5, Revision: 99}},
		}, candor.ReasonTokenConflict},
	} {
		if row.edit != nil {
			row.edit(row.root)
		}
		view, w, err := reader(row.root).View(t.Context(), row.ask)
		if view != nil || candor.ReasonOf(err) != row.want {
			t.Errorf("%s: %v, want %s", row.name, err, row.want)
			continue
		}
		var e *candor.Error
		if !errors.As(err, &e) || e.Witness == nil {
			t.Errorf("%s: the refusal carries no witness", row.name)
			continue
		}
		if diff := cmp.Diff(w, *e.Witness); diff != "" {
			t.Errorf("%s: the refusal carries another witness:\n%s", row.name, diff)
		}
		if w.NodeID != "node-1" || w.BootID != "boot-1" || w.ServedToken != row.root.machine.View().Token() {
			t.Errorf("%s: the witness does not say what refused: %+v", row.name, w)
		}
		if w.Served != "" || w.Class != "" || w.Mechanism != "" || w.RootLag != nil || w.StalenessBound != nil || w.CurrentToken != nil || w.ServedByLeader {
			t.Errorf("%s: a refusal claims to have served: %+v", row.name, w)
		}
		if want := row.ask.Freshness; w.Requested != want && want != "" {
			t.Errorf("%s: the witness says that %s was asked for", row.name, w.Requested)
		}
		if diff := cmp.Diff(row.root.leader, e.Leader); diff != "" {
			t.Errorf("%s: hint (-root +refusal):\n%s", row.name, diff)
		}
	}
}

// TestARefusalLeavesTheRootsErrorAlone: one error value serves every reader.
func TestARefusalLeavesTheRootsErrorAlone(t *testing.T) {
	r := follower(t)
	shared := &candor.Error{Reason: candor.ReasonNotLeader, Message: "this server does not lead"}
	r.refuse = shared
	if _, _, err := reader(r).View(t.Context(), candor.ReadRequest{}); !errors.Is(err, &candor.Error{Reason: candor.ReasonNotLeader}) {
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
	view, w, err := reader(r).View(t.Context(), candor.ReadRequest{Freshness: candor.FreshnessBestEffort, Required: position(r, want)})
	if err != nil || view.Token() != want || w.ServedToken != want {
		t.Fatalf("%v: served at %s, want %s", err, w.ServedToken, want)
	}
	if w.RootLag != nil || w.StalenessBound != nil {
		t.Errorf("a token that was reached proves no lag: %+v", w)
	}
	// A leader that has more to wait for than its proof.
	r = leader(t)
	view, w, err = reader(r).View(t.Context(), candor.ReadRequest{Required: position(r, want)})
	if err != nil || view.Token() != want || w.Served != candor.FreshnessStrong {
		t.Fatalf("%v: served at %s, want %s", err, w.ServedToken, want)
	}
	// One that the view covers costs nothing.
	r = follower(t)
	if _, _, err := reader(r).View(t.Context(), candor.ReadRequest{Freshness: candor.FreshnessBestEffort, Required: position(r, r.machine.View().Token())}); err != nil || len(r.asked) > 0 {
		t.Errorf("%v, asked %v", err, r.asked)
	}
}

// TestABoundedReadIsRefusedWhenItsProofGrewOld: the wait for a token counts.
func TestABoundedReadIsRefusedWhenItsProofGrewOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, row := range []struct {
			bound  *time.Duration
			took   time.Duration
			served bool
		}{
			{nil, time.Second, true},
			{nil, time.Second + 3, false},
			{new(60 * time.Millisecond), 60 * time.Millisecond, true},
			{new(60 * time.Millisecond), 63 * time.Millisecond, false},
		} {
			r := leader(t)
			// A third for the proof, one for the view to reach it, one for the token.
			r.confirms, r.applies = row.took-row.took/3*2, row.took/3
			token := position(r, candor.Token{Term: 3, Index: 7, Revision: 7})
			view, w, err := reader(r).View(t.Context(), candor.ReadRequest{Freshness: candor.FreshnessBounded, MaxStaleness: row.bound, Required: token})
			if !row.served {
				if candor.ReasonOf(err) != candor.ReasonStalenessExceeded || view != nil {
					t.Errorf("a proof of %s: %v", row.took, err)
				}
				continue
			}
			if err != nil || w.Class != candor.ServingBoundedStale || w.Served != candor.FreshnessBounded || w.StalenessBound == nil || *w.StalenessBound != row.took {
				t.Errorf("a proof of %s: %+v, %v", row.took, w, err)
			}
		}
	})
}

func TestAnOlderStateIsServedFromTheFloorOn(t *testing.T) {
	r := leader(t)
	for revision := uint64(1); revision <= 6; revision++ {
		view, w, err := reader(r).View(t.Context(), candor.ReadRequest{AtRevision: revision})
		if err != nil || view.Token().Revision != 6 || w.ServedToken.Revision != 6 {
			t.Errorf("revision %d: served at %s, %v", revision, w.ServedToken, err)
		}
	}
}

func TestAReaderNeedsWhatItStandsOn(t *testing.T) {
	r := follower(t)
	for name, build := range map[string]func(){
		"machine": func() { read.New(identity, nil, r) },
		"root":    func() { read.New(identity, r.machine, nil) },
		"node ID": func() { read.New(read.Identity{BootID: "b"}, r.machine, r) },
		"boot ID": func() { read.New(read.Identity{NodeID: "n"}, r.machine, r) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a reader without %s was made", name)
				}
			}()
			build()
		}()
	}
}
