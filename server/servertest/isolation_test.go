package servertest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server/replica"
	"github.com/candor-plane/candor/server/servertest"
)

// longLease lets a leader believe in itself for a second after it is cut off.
func longLease(s *replica.Settings) {
	s.Heartbeat, s.Election, s.LeaderLease = time.Second, time.Second, time.Second
}

// TestALeaderWithoutAMajorityServesNoStrongReadWhileItBelievesInItself: it is
// raft's leader for the whole of its lease, and cannot confirm it. It refuses
// what needs a proof, for that reason and no other, and serves what needs none
// without claiming anything of it.
func TestALeaderWithoutAMajorityServesNoStrongReadWhileItBelievesInItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithSettings(longLease))
		mustCreate(t, c.Client(t), "known")
		old := c.Leader()
		api := candorv1.NewObjectServiceClient(dial(t, c, old.Name()))
		get := func(read *candorv1.ReadOptions) (*candorv1.GetResponse, *candor.Error) {
			ctx, cancel := within(time.Second)
			defer cancel()
			out, err := api.Get(ctx, &candorv1.GetRequest{Kind: string(candor.KindNamespaces), Name: "known", Read: read})
			if err == nil {
				return out, nil
			}
			refused, ok := convert.Refusal(err)
			if !ok {
				t.Fatalf("not answered: %v", err)
			}
			return nil, refused
		}
		if out, err := get(nil); err != nil || out.GetWitness().RootLag == nil || out.GetWitness().GetServingClass() != candorv1.ServingClass_SERVING_CLASS_AUTHORITATIVE {
			t.Fatalf("before: %+v, %v", out, err)
		}
		c.Isolate(old.Name())
		asked := 0
		for ; old.Replica().Leading(); asked++ {
			for _, read := range []*candorv1.ReadOptions{
				nil,
				{Freshness: candorv1.Freshness_FRESHNESS_STRONG},
				{Freshness: candorv1.Freshness_FRESHNESS_BOUNDED, MaxStaleness: durationpb.New(time.Hour)},
			} {
				out, err := get(read)
				if err == nil {
					t.Fatalf("read %+v is served: %+v", read, out.GetWitness())
				}
				if !old.Replica().Leading() {
					break
				}
				if err.Reason != candor.ReasonLeadershipUnconfirmed {
					t.Errorf("read %+v is refused with %v", read, err)
				}
				wantNothingProven(t, err.Witness)
			}
			out, err := get(&candorv1.ReadOptions{Freshness: candorv1.Freshness_FRESHNESS_BEST_EFFORT})
			if err != nil {
				t.Fatalf("best effort: %v", err)
			}
			w := convert.WitnessFromProto(out.GetWitness())
			wantNothingProven(t, w)
			if w.Served != candor.FreshnessBestEffort || w.Class != candor.ServingDegraded || w.Mechanism != candor.MechanismView {
				t.Errorf("best effort is labelled %+v", w)
			}
		}
		if asked == 0 {
			t.Error("the isolated leader gave up before it was asked")
		}
		_, err := get(nil)
		if err == nil || err.Reason != candor.ReasonNotLeader {
			t.Errorf("after its lease: %v", err)
		}
		c.Heal()
		wantEqualStates(t, c)
	})
}

// wantNothingProven fails if a witness has a fact that takes a majority to know.
func wantNothingProven(t testing.TB, w *candor.Witness) {
	t.Helper()
	switch {
	case w == nil:
		t.Error("an answer without a witness")
	case w.RootLag != nil || w.StalenessBound != nil || w.CurrentToken != nil || w.ServedByLeader || w.CatchUp != "" || w.Mode != "":
		t.Errorf("the witness claims what nobody proved: %+v", w)
	case w.NodeID == "" || w.BootID == "" || w.ServedToken.IsZero():
		t.Errorf("the witness does not say what it is of: %+v", w)
	}
}

// TestAWriteToALeaderWithoutAMajorityIsNeverCalledRefused: it is in that
// leader's log, and may yet be committed or not.
func TestAWriteToALeaderWithoutAMajorityIsNeverCalledRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithSettings(longLease))
		old := c.Leader()
		api := candorv1.NewObjectServiceClient(dial(t, c, old.Name()))
		c.Isolate(old.Name())
		ctx, cancel := within(10 * time.Second)
		defer cancel()
		_, err := api.Create(ctx, &candorv1.CreateRequest{Object: convert.ObjectToProto(namespace("perhaps"))})
		wantReason(t, convert.ErrorFromStatus(err), candor.ReasonOutcomeUnknown)
		next := c.Leader(old.Name())
		mustCreate(t, c.Client(t, next.Name()), "certain")
		c.Heal()
		wantEqualStates(t, c)
		if v, _ := old.Machine().View().Get(refOf("perhaps"), 0); v != nil {
			t.Error("the next leader's log has what only the old one's had")
		}
	})
}
