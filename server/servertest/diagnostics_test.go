package servertest_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server/servertest"
)

func TestANodeTellsTheNewestRequestsAndWhatBecameOfThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		leader := c.Leader()
		k := c.Client(t, leader.Name())
		ctx, cancel := within(time.Minute)
		defer cancel()
		if _, err := k.Create(ctx, namespace("mine"), client.WithRequestID("done")); err != nil {
			t.Fatal(err)
		}
		_, err := k.Create(ctx, namespace("mine"), client.WithRequestID("taken"))
		wantReason(t, err, candor.ReasonAlreadyExists)
		odd := namespace("odd")
		odd.Spec = []byte(`{"colour":"red"}`)
		_, err = k.Create(ctx, odd, client.WithRequestID("odd"))
		wantReason(t, err, candor.ReasonInvalid)

		report, err := k.Diagnostics(leader.Name()).Node(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(report.LastOutcomes) < 3 {
			t.Fatalf("outcomes %+v, want three at least", report.LastOutcomes)
		}
		for i, want := range []client.OutcomeRecord{
			{RequestID: "odd", Outcome: candor.OutcomeRejected, Reason: candor.ReasonInvalid},
			{RequestID: "taken", Outcome: candor.OutcomeFailed, Reason: candor.ReasonAlreadyExists},
			{RequestID: "done", Outcome: candor.OutcomeApplied},
		} {
			got := report.LastOutcomes[i]
			if got.RequestID != want.RequestID || got.Outcome != want.Outcome || got.Reason != want.Reason || got.Actor == "" || (got.Outcome == candor.OutcomeApplied) == got.Token.IsZero() {
				t.Errorf("outcome %d is %+v, want %+v with an actor, and a token if it was done", i, got, want)
			}
		}
		refused := slices.IndexFunc(report.LastAdmissions, func(r client.AdmissionRecord) bool { return r.Reason == candor.ReasonInvalid })
		if refused < 0 {
			t.Fatalf("admissions %+v, want the refusal", report.LastAdmissions)
		}
		if r := report.LastAdmissions[refused]; r.Class != candor.AdmitWrite || r.Method != "ObjectService/Create" || r.Actor == "" || r.At.IsZero() {
			t.Errorf("the refusal is told as %+v", r)
		}
		if !slices.IsSortedFunc(report.LastAdmissions, func(a, b client.AdmissionRecord) int { return b.At.Compare(a.At) }) {
			t.Error("admissions are not newest first")
		}
		if report.Raft == nil || report.Raft.Main < 0 || report.Raft.Main > 1 || report.Raft.Apply < 0 || report.Raft.Apply > 1 {
			t.Errorf("raft load %+v, want two numbers from 0 to 1", report.Raft)
		}
		if report.Freshness == nil || report.Freshness.Policy == nil || report.Freshness.ProofAge == nil {
			t.Errorf("freshness %+v, want a proof and the policy", report.Freshness)
		}
	})
}

// A server's load is its own: others in the process do not add to it.
func TestLoadIsOfOneServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		c.Leader()
		for _, s := range c.Servers() {
			if load := s.Replica().Status().Load; load.Main > 0.5 || load.Apply > 0.5 {
				t.Errorf("%s: load %+v of an idle server", s.Name(), load)
			}
		}
	})
}
