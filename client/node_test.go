package client_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

var began = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// Everything that a node reports of its freshness arrives, and what it does not
// know stays unknown.
func TestDiagnosticsTellWhatTheNodeKnowsOfItsFreshness(t *testing.T) {
	s := newStage(t, "n2")
	n2 := s.node("n2")
	report := &candorv1.NodeResponse{
		NodeId: "n2-id",
		Freshness: &candorv1.FreshnessStatus{
			CatchUpState: candorv1.CatchUpState_CATCH_UP_STATE_LAGGING, CatchUpAction: candorv1.CatchUpAction_CATCH_UP_ACTION_ADVANCE,
			DegradedMode: candorv1.DegradedMode_DEGRADED_MODE_VIEW_ONLY, DegradedReason: "QUARANTINED",
			ProofAge: durationpb.New(time.Second), NewestProofAge: durationpb.New(time.Millisecond), NewestProofIndex: 1, NewestProofTerm: 2,
			RootLag: new(uint64(0)), LeaderFirstIndex: 3, Probes: 4, ProbesFailed: 5, ProbeFailure: "no leader",
			Policy: &candorv1.FreshnessPolicy{
				FreshLag: 6, FreshAge: durationpb.New(7), Window: durationpb.New(8), BeaconInterval: durationpb.New(9),
				AutomaticRepair: true, RepairInterval: durationpb.New(10),
			},
			Quarantine: &candorv1.Quarantine{
				Index: 11, Digest: []byte("a"), MajorityDigest: []byte("b"), Since: timestamppb.New(began), RepairsTried: 12, LastFailure: "f",
			},
			ViewOnlyByOperator: true, VerifiedIndex: 13, Alarm: "split",
		},
		LastAdmissions: []*candorv1.AdmissionRecord{
			{At: timestamppb.New(began), Class: "READ", Method: "Get", Reason: "VIEW_ONLY", Actor: "ana"},
		},
		LastOutcomes: []*candorv1.OutcomeRecord{
			{Actor: "ana", RequestId: "r", Outcome: candorv1.Outcome_OUTCOME_APPLIED, Reason: "X", Token: &candorv1.RootToken{Term: 1, Index: 2, Revision: 3}},
		},
		Raft: &candorv1.RaftLoad{Main: 0.25, Apply: 0.5},
		Reads: []*candorv1.ReadCount{
			{Freshness: candorv1.Freshness_FRESHNESS_BOUNDED, Mechanism: candorv1.Mechanism_MECHANISM_PROVEN_VIEW, Count: 14},
		},
	}
	n2.on("Node", sequence(
		func(c *call) error { return c.send(report) },
		func(c *call) error {
			return c.send(&candorv1.NodeResponse{NodeId: "n2-id", Freshness: &candorv1.FreshnessStatus{}})
		},
	))
	d := s.client([]string{"n2"}).Diagnostics("n2:1")
	got, err := d.Node(t.Context())
	noError(t, err)
	want := &client.NodeReport{
		NodeID: "n2-id",
		Freshness: &client.FreshnessStatus{
			CatchUp: candor.CatchUpLagging, Action: candor.CatchUpAdvance, Mode: candor.ModeViewOnly, DegradedReason: "QUARANTINED",
			ProofAge: new(time.Second), NewestProofAge: new(time.Millisecond), NewestProofIndex: 1, NewestProofTerm: 2,
			RootLag: new(uint64(0)), LeaderFirstIndex: 3, Probes: 4, ProbesFailed: 5, ProbeFailure: "no leader",
			Policy:     &client.FreshnessPolicy{FreshLag: 6, FreshAge: 7, Window: 8, BeaconInterval: 9, AutomaticRepair: true, RepairInterval: 10},
			Quarantine: &client.Quarantine{Index: 11, Digest: []byte("a"), MajorityDigest: []byte("b"), Since: began, RepairsTried: 12, LastFailure: "f"},

			ViewOnlyByOperator: true, VerifiedIndex: 13, Alarm: "split",
		},
		LastAdmissions: []client.AdmissionRecord{{At: began, Class: candor.AdmitRead, Method: "Get", Reason: candor.ReasonViewOnly, Actor: "ana"}},
		LastOutcomes: []client.OutcomeRecord{
			{Actor: "ana", RequestID: "r", Outcome: candor.OutcomeApplied, Reason: "X", Token: candor.Token{Term: 1, Index: 2, Revision: 3}},
		},
		Raft:  &client.RaftLoad{Main: 0.25, Apply: 0.5},
		Reads: []client.ReadCount{{Freshness: candor.FreshnessBounded, Mechanism: candor.MechanismProvenView, Count: 14}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("node (-want +got):\n%s", diff)
	}
	unknown, err := d.Node(t.Context())
	noError(t, err)
	if diff := cmp.Diff(&client.NodeReport{NodeID: "n2-id", Freshness: &client.FreshnessStatus{}}, unknown); diff != "" {
		t.Errorf("a node that knows nothing of its freshness (-want +got):\n%s", diff)
	}
}

func TestATrialOfTheClassesTellsWhatEachGets(t *testing.T) {
	s := newStage(t, three...)
	n2 := s.node("n2")
	stale := n2.weaker(candorv1.Freshness_FRESHNESS_BOUNDED, token(5))
	stale.StalenessBound = durationpb.New(time.Minute)
	n2.on("Freshness", func(c *call) error {
		return c.send(&candorv1.FreshnessResponse{Witness: n2.witness(token(5), nil), Verdicts: []*candorv1.ClassVerdict{
			{
				Freshness: candorv1.Freshness_FRESHNESS_STRONG, AllowFollowerReadIndex: true, Reason: "LEADERSHIP_UNCONFIRMED", Message: "m",
				RetryClass: "LEADER", Took: durationpb.New(time.Second),
			},
			{Freshness: candorv1.Freshness_FRESHNESS_BEST_EFFORT, Served: true, Witness: n2.weaker(candorv1.Freshness_FRESHNESS_BEST_EFFORT, token(5))},
			{Freshness: candorv1.Freshness_FRESHNESS_BOUNDED, Served: true, Witness: stale},
		}})
	})
	d := s.client(three).Diagnostics("n2:1")
	got, err := d.Freshness(t.Context(), client.FreshnessBounds{MaxStaleness: 3 * time.Second, MaxLag: new(uint64(0))})
	noError(t, err)
	w := convert.WitnessFromProto(n2.witness(token(5), nil))
	want := &client.NodeFreshness{Witness: w, Verdicts: []client.ClassVerdict{
		{
			Freshness: candor.FreshnessStrong, FollowerReadIndex: true, Reason: candor.ReasonLeadershipUnconfirmed, Message: "m",
			Retry: candor.RetryLeader, Took: time.Second,
		},
		{Freshness: candor.FreshnessBestEffort, Served: true, Witness: convert.WitnessFromProto(n2.weaker(candorv1.Freshness_FRESHNESS_BEST_EFFORT, token(5)))},
		{
			Freshness: candor.FreshnessBounded, Served: true, Witness: convert.WitnessFromProto(stale),
			Breach: &client.WitnessError{
				Field: "stalenessBound", Want: "at most 3s", Got: "1m0s", Node: "n2", Witness: *convert.WitnessFromProto(stale),
			},
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("freshness (-want +got):\n%s", diff)
	}
	in := n2.arrived("Freshness")[0].in.(*candorv1.FreshnessRequest)
	if in.GetMaxStaleness().AsDuration() != 3*time.Second || in.MaxRootLag == nil {
		t.Errorf("asked for %v", in)
	}
}

// A trial takes as long as reads take, which may be longer than an attempt of
// one that can go elsewhere.
func TestATrialOfTheClassesIsNotCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1")
		s.node("n1").on("Freshness", func(c *call) error {
			time.Sleep(2 * client.DefaultAttemptTimeout)
			return c.send(&candorv1.FreshnessResponse{})
		})
		_, err := s.client([]string{"n1"}).Diagnostics("n1:1").Freshness(t.Context(), client.FreshnessBounds{})
		noError(t, err)
	})
}

func TestAnOperatorsHandReachesThatNodeOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1", "n2")
		n2 := s.node("n2")
		n2.on("SetViewOnly", func(c *call) error {
			on := c.in.(*candorv1.SetViewOnlyRequest).GetOn()
			return c.send(&candorv1.SetViewOnlyResponse{Changed: on, Witness: n2.witness(token(5), nil)})
		})
		n2.on("Repair", func(c *call) error {
			time.Sleep(3 * client.DefaultTimeout) // a repair is not hurried
			return c.send(&candorv1.RepairResponse{Source: "n3-id", VerifiedIndex: 9, Witness: n2.witness(token(9), nil)})
		})
		c := s.client([]string{"n1"})
		for _, on := range []bool{true, false} {
			changed, w, err := c.Node("n2:1").SetViewOnly(t.Context(), on)
			noError(t, err)
			if changed != on || w.NodeName != "n2" {
				t.Errorf("on %t: changed %t at %s", on, changed, w.NodeName)
			}
		}
		got, err := c.Node("n2:1").Repair(t.Context())
		noError(t, err)
		want := &client.Repaired{Source: "n3-id", VerifiedIndex: 9, Witness: convert.WitnessFromProto(n2.witness(token(9), nil))}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("repair (-want +got):\n%s", diff)
		}
		n2.on("Repair", refuses(&candor.Error{Reason: candor.ReasonInvalid, Message: "the node is not quarantined"}))
		_, err = c.Node("n2:1").Repair(t.Context())
		wantReason(t, err, candor.ReasonInvalid)
		n2.on("SetViewOnly", func(*call) error { n2.stop(); return errCut })
		_, _, err = c.Node("n2:1").SetViewOnly(t.Context(), true)
		wantReason(t, err, candor.ReasonOutcomeUnknown)
		_, _, err = c.Node("").SetViewOnly(t.Context(), true)
		wantReason(t, err, candor.ReasonInvalid)
		if len(s.node("n1").calls) != 0 {
			t.Error("another node was asked")
		}
	})
}

func (n *node) catchesUp(end error, changes ...*candorv1.WatchCatchUpResponse) script {
	return func(c *call) error {
		for _, m := range changes {
			if err := c.send(m); err != nil {
				return err
			}
		}
		if end != nil {
			return end
		}
		return hangs(c)
	}
}

func TestCatchUpIsToldFromTheStateThatTheNodeIsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1", "n2")
		n2 := s.node("n2")
		n2.on("WatchCatchUp", n2.catchesUp(nil,
			&candorv1.WatchCatchUpResponse{
				TokenBefore: &candorv1.RootToken{Term: 1, Index: 2, Revision: 3}, TokenAfter: &candorv1.RootToken{Term: 1, Index: 4, Revision: 5},
				State: candorv1.CatchUpState_CATCH_UP_STATE_RECOVERING, Action: candorv1.CatchUpAction_CATCH_UP_ACTION_RELOAD,
				Reason: "QUARANTINED", DegradedMode: candorv1.DegradedMode_DEGRADED_MODE_VIEW_ONLY, At: timestamppb.New(began),
			},
			&candorv1.WatchCatchUpResponse{State: candorv1.CatchUpState_CATCH_UP_STATE_FRESH},
		))
		d := s.client([]string{"n1"}).Diagnostics("n2:1")
		w, err := d.WatchCatchUp(t.Context())
		noError(t, err)
		time.Sleep(client.DefaultTimeout + time.Second) // the stream lasts, whatever calls are given
		first, err := w.Next(t.Context())
		noError(t, err)
		want := client.CatchUpChange{
			At: began, TokenBefore: candor.Token{Term: 1, Index: 2, Revision: 3}, TokenAfter: candor.Token{Term: 1, Index: 4, Revision: 5},
			CatchUp: candor.CatchUpRecovering, Action: candor.CatchUpReload, Mode: candor.ModeViewOnly, DegradedReason: "QUARANTINED",
		}
		if diff := cmp.Diff(want, first); diff != "" {
			t.Errorf("change (-want +got):\n%s", diff)
		}
		second, err := w.Next(t.Context())
		noError(t, err)
		if second.CatchUp != candor.CatchUpFresh {
			t.Errorf("then %+v", second)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = w.Next(ctx)
		wantReason(t, err, candor.ReasonTimedOut)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v does not tell that the deadline passed", err)
		}
		noError(t, w.Close())
	})
}

func TestCatchUpEndsWithItsNodeAndWithClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1")
		n1 := s.node("n1")
		d := s.client([]string{"n1"}).Diagnostics("n1:1")
		for want, f := range map[candor.Reason]script{
			candor.ReasonUnavailable:  n1.catchesUp(errCut, &candorv1.WatchCatchUpResponse{}),
			candor.ReasonShuttingDown: n1.catchesUp(&candor.Error{Reason: candor.ReasonShuttingDown}, &candorv1.WatchCatchUpResponse{}),
			candor.ReasonCanceled:     n1.catchesUp(nil, &candorv1.WatchCatchUpResponse{}),
		} {
			n1.on("WatchCatchUp", f)
			w, err := d.WatchCatchUp(t.Context())
			noError(t, err)
			_, err = w.Next(t.Context())
			noError(t, err)
			if want == candor.ReasonCanceled {
				time.AfterFunc(time.Second, func() { _ = w.Close() })
			}
			for range 2 { // it stays so
				_, err = w.Next(t.Context())
				wantReason(t, err, want)
			}
			noError(t, w.Close())
		}
		n1.on("WatchCatchUp", hangs)
		start := time.Now()
		_, err := d.WatchCatchUp(t.Context())
		wantReason(t, err, candor.ReasonTimedOut)
		if took := time.Since(start); took != client.DefaultTimeout {
			t.Errorf("given up after %v", took)
		}
		n1.on("WatchCatchUp", refuses(&candor.Error{Reason: candor.ReasonForbidden}))
		_, err = d.WatchCatchUp(t.Context())
		wantReason(t, err, candor.ReasonForbidden)
		n1.stop()
		_, err = d.WatchCatchUp(t.Context())
		wantReason(t, err, candor.ReasonUnavailable)
	})
}
