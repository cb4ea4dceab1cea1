package servertest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server/servertest"
)

// TestAFollowerAnswersAWriteOnceItsOwnViewHasIt: over one connection to a
// follower, with no session and no retries, the write is there at once.
func TestAFollowerAnswersAWriteOnceItsOwnViewHasIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		follower := c.Follower()
		api := candorv1.NewObjectServiceClient(dial(t, c, follower.Name()))
		ctx, cancel := within(20 * time.Second)
		defer cancel()
		for _, name := range []string{"one", "two", "three"} {
			made, err := api.Create(ctx, &candorv1.CreateRequest{Object: convert.ObjectToProto(namespace(name))})
			if err != nil {
				t.Fatal(err)
			}
			accepted := convert.TokenFromProto(made.GetResult().GetAcceptedRootToken())
			w := convert.WitnessFromProto(made.GetResult().GetWitness())
			if w.NodeID != follower.ID() || w.ServedByLeader || !w.ServedToken.Covers(accepted) || accepted.IsZero() {
				t.Errorf("%s: accepted at %s, witness %+v", name, accepted, w)
			}
			got, err := api.Get(ctx, &candorv1.GetRequest{
				Kind: string(candor.KindNamespaces), Name: name, Read: &candorv1.ReadOptions{Freshness: candorv1.Freshness_FRESHNESS_BEST_EFFORT},
			})
			if err != nil || got.GetObject().GetMetadata().GetResourceVersion() != accepted.Revision || got.GetWitness().GetNodeId() != follower.ID() {
				t.Errorf("%s on the follower that answered its write: %+v, %v", name, got, err)
			}
		}
		// A refusal by the turn comes through as the leader gave it.
		_, err := api.Create(ctx, &candorv1.CreateRequest{Object: convert.ObjectToProto(namespace("one"))})
		wantReason(t, convert.ErrorFromStatus(err), candor.ReasonAlreadyExists)
	})
}

// TestAFollowerThatCannotShowAWriteSaysSo: the leader's answer came, what it
// committed did not. The write is made, and the answer does not hide it.
func TestAFollowerThatCannotShowAWriteSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		leader, follower := c.Leader(), c.Follower()
		api := candorv1.NewObjectServiceClient(dial(t, c, follower.Name()))
		c.Cut(leader.Name(), follower.Name())
		ctx, cancel := within(100 * time.Millisecond)
		defer cancel()
		_, err := api.Create(ctx, &candorv1.CreateRequest{Object: convert.ObjectToProto(namespace("unseen"))})
		if refused, answered := convert.Refusal(err); answered {
			wantReason(t, refused, candor.ReasonOutcomeUnknown, candor.ReasonRootTokenNotReached)
		} else if status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("neither answered nor late: %v", err)
		}
		c.Until("the leader has it", func() bool {
			v, err := leader.Machine().View().Get(refOf("unseen"), 0)
			return err == nil && v != nil
		})
		if v, _ := follower.Machine().View().Get(refOf("unseen"), 0); v != nil {
			t.Error("the follower shows what was not sent to it")
		}
		c.Heal()
		wantEqualStates(t, c)
	})
}

// TestAForwardedCommandIsNotForwardedAgain: a server that does not lead refuses
// it with a hint, so that no command goes round.
func TestAForwardedCommandIsNotForwardedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		leader, follower := c.Leader(), c.Follower()
		hello := command.AppendCommand(nil, command.Hello(follower.ID(), follower.Name(), follower.APIAddress(), candor.FeatureLevel))
		in := &candorv1.ForwardRequest{ClusterId: leader.Machine().View().ClusterID(), Command: hello}
		ctx, cancel := within(20 * time.Second)
		defer cancel()
		before := leader.Machine().View().Token().Index
		_, err := candorv1.NewPeerServiceClient(dial(t, c, follower.Name())).Forward(ctx, in)
		refused, ok := convert.Refusal(err)
		if !ok || refused.Reason != candor.ReasonNotLeader || refused.Leader == nil || refused.Leader.ServerID != leader.ID() {
			t.Fatalf("a follower: %v, hint %+v", err, refused)
		}
		if now := leader.Machine().View().Token().Index; now != before {
			t.Errorf("the leader went from %d to %d", before, now)
		}
		to := candorv1.NewPeerServiceClient(dial(t, c, leader.Name()))
		out, err := to.Forward(ctx, in)
		if err != nil || out.GetIndex() != before+1 || out.GetTerm() != leader.Replica().Status().Term {
			t.Errorf("the leader: %+v, %v", out, err)
		}
		in.Term = out.GetTerm() + 1
		_, err = to.Forward(ctx, in)
		wantReason(t, convert.ErrorFromStatus(err), candor.ReasonNotLeader)
		in.ClusterId, in.Term = "another", 0
		_, err = to.Forward(ctx, in)
		wantReason(t, convert.ErrorFromStatus(err), candor.ReasonClusterMismatch)
	})
}
