package grpcapi_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

var bestEffort = &candorv1.ReadOptions{Freshness: candorv1.Freshness_FRESHNESS_BEST_EFFORT}

// dishonest says what is wrong with what a witness claims of other servers, on a
// cluster where all is well: what is claimed comes with its proof, and is true.
func dishonest(w *candorv1.Witness) string {
	bound, age := w.GetStalenessBound(), w.GetStalenessBound().AsDuration()
	switch {
	case w.GetServedByLeader() || w.GetEra() != 0:
		return "it speaks of leadership or an era"
	case w.RootLag == nil && (bound != nil || w.GetCatchUpState() == candorv1.CatchUpState_CATCH_UP_STATE_FRESH):
		return "it claims a bound or freshness without a proof"
	case bound != nil && (age < 0 || age > 250*time.Millisecond):
		return "a beacon of 100 ms gives another bound"
	case bound == nil && w.GetMechanism() == candorv1.Mechanism_MECHANISM_PROVEN_VIEW:
		return "it says proven and gives no bound"
	case w.RootLag != nil && w.GetRootLag() == 0 && w.GetCurrentRootToken().GetIndex() > w.GetServedRootToken().GetIndex():
		return "it misses nothing and knows of something newer"
	default:
		return ""
	}
}

// TestEveryAnswerSaysWhoItIsFromAndNothingThatNobodyProved, on the wire too: a
// field that is not proven is absent and not zero.
func TestEveryAnswerSaysWhoItIsFromAndNothingThatNobodyProved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newFixture(t)
		for _, s := range x.cluster.Servers() {
			api := candorv1.NewObjectServiceClient(x.dial(s.Name()))
			cluster, diagnostics := candorv1.NewClusterServiceClient(x.dial(s.Name())), candorv1.NewDiagnosticsServiceClient(x.dial(s.Name()))
			answers := map[string]interface{ GetWitness() *candorv1.Witness }{}
			note := func(name string, out interface{ GetWitness() *candorv1.Witness }, err error) {
				t.Helper()
				if err != nil {
					t.Fatalf("%s on %s: %v", name, s.Name(), err)
				}
				answers[name] = out
			}
			got, err := api.Get(t.Context(), &candorv1.GetRequest{Kind: widgets, Namespace: "team", Name: "a", Read: bestEffort})
			note("get", got, err)
			listed, err := api.List(t.Context(), &candorv1.ListRequest{Kind: widgets, Read: bestEffort})
			note("list", listed, err)
			past, err := api.History(t.Context(), &candorv1.HistoryRequest{Kind: widgets, Namespace: "team", Name: "a", Read: bestEffort})
			note("history", past, err)
			outcome, err := api.Outcome(t.Context(), &candorv1.OutcomeRequest{RequestId: "r", Read: bestEffort})
			note("outcome", outcome, err)
			made, err := api.Observe(t.Context(), &candorv1.ObserveRequest{Kind: widgets, Namespace: "team", Name: "a", Observed: []byte(`{}`)})
			note("observe", made.GetResult(), err)
			txn, err := api.Txn(t.Context(), &candorv1.TxnRequest{})
			note("transaction", txn.GetResult(), err)
			tried, err := api.Delete(t.Context(), &candorv1.DeleteRequest{Kind: widgets, Namespace: "team", Name: "a", Write: &candorv1.WriteOptions{DryRun: true}})
			note("dry run", tried.GetResult(), err)
			status, err := cluster.Status(t.Context(), &candorv1.StatusRequest{})
			note("status", status, err)
			members, err := cluster.Members(t.Context(), &candorv1.MembersRequest{})
			note("members", members, err)
			node, err := diagnostics.Node(t.Context(), &candorv1.NodeRequest{})
			note("node", node, err)
			digests, err := diagnostics.Digests(t.Context(), &candorv1.DigestsRequest{})
			note("digests", digests, err)
			records, err := diagnostics.Records(t.Context(), &candorv1.RecordsRequest{})
			note("records", records, err)
			for name, out := range answers {
				w := out.GetWitness()
				if w.GetNodeId() != s.ID() || w.GetNodeName() != s.Name() || w.GetBootId() == "" || w.GetClusterId() != clusterID || w.GetHistoryId() != historyID {
					t.Errorf("%s on %s: the witness is not of that server: %+v", name, s.Name(), w)
				}
				if token := convert.TokenFromProto(w.GetServedRootToken()); token.IsZero() || !s.Machine().View().Token().Covers(token) {
					t.Errorf("%s on %s: served at %s", name, s.Name(), token)
				}
				// A turn that a server made itself proves that it led then.
				wrote := (name == "observe" || name == "transaction") && s == x.cluster.Leader()
				if w.GetServedByLeader() != wrote {
					t.Errorf("%s on %s: served by the leader: %t", name, s.Name(), w.GetServedByLeader())
				}
				w.ServedByLeader = false
				if why := dishonest(w); why != "" {
					t.Errorf("%s on %s: %s: %+v", name, s.Name(), why, w)
				}
			}
		}
	})
}

// TestARefusedRequestCarriesTheWitnessOfWhoRefusedIt: what a server knows when it
// says no is as good to know as when it says yes.
func TestARefusedRequestCarriesTheWitnessOfWhoRefusedIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newFixture(t)
		leader, follower := x.cluster.Leader(), x.cluster.Follower()
		at := candorv1.NewObjectServiceClient(x.dial(follower.Name()))
		refusal := func(err error) *candor.Error {
			t.Helper()
			var e *candor.Error
			if !errors.As(convert.ErrorFromStatus(err), &e) || e.Witness == nil {
				t.Fatalf("no witness in %v", err)
			}
			return e
		}
		_, err := at.Get(t.Context(), &candorv1.GetRequest{Kind: widgets, Namespace: "team", Name: "a"})
		e := refusal(err)
		if e.Reason != candor.ReasonNotLeader || e.Witness.NodeID != follower.ID() || e.Witness.Served != "" || dishonest(convert.WitnessToProto(e.Witness)) != "" {
			t.Errorf("strong on a follower: %v, %+v", e, e.Witness)
		}
		if e.Leader == nil || e.Leader.ServerID != leader.ID() || e.Leader.Address != leader.APIAddress() {
			t.Errorf("strong on a follower: the hint is %+v", e.Leader)
		}
		// What is not there is proven absent by a strong read, and by no other.
		_, err = x.api.Get(t.Context(), &candorv1.GetRequest{Kind: widgets, Namespace: "team", Name: "never"})
		if e := refusal(err); e.Reason != candor.ReasonNotFound || e.Witness.Class != candor.ServingAuthoritative || e.Witness.RootLag == nil || e.Witness.NodeID != leader.ID() {
			t.Errorf("not found, strong: %v, %+v", e, e.Witness)
		}
		_, err = at.Get(t.Context(), &candorv1.GetRequest{Kind: widgets, Namespace: "team", Name: "never", Read: bestEffort})
		if e := refusal(err); e.Reason != candor.ReasonNotFound || e.Witness.Class != candor.ServingBoundedStale || dishonest(convert.WitnessToProto(e.Witness)) != "" || e.Witness.NodeID != follower.ID() {
			t.Errorf("not found, best effort: %v, %+v", e, e.Witness)
		}
		for what, err := range map[string]error{
			"list": second(x.api.List(t.Context(), &candorv1.ListRequest{Kind: "gizmos.example.com"})),
			"compacted": func() error {
				if err := compact(t.Context(), x, 5); err != nil {
					return err
				}
				return second(x.api.Get(t.Context(), &candorv1.GetRequest{Kind: widgets, Namespace: "team", Name: "a", Read: &candorv1.ReadOptions{AtRevision: 4}}))
			}(),
			"conflict": second(x.api.Delete(t.Context(), &candorv1.DeleteRequest{Kind: widgets, Namespace: "team", Name: "a", Preconditions: &candorv1.Preconditions{ResourceVersion: 3}})),
		} {
			if e := refusal(err); e.Witness.NodeID != leader.ID() || e.Witness.ServedToken.IsZero() {
				t.Errorf("%s: %v, %+v", what, e, e.Witness)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }
