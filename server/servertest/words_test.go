package servertest_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

func TestATransferTellsWhoLeadsThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		for range 3 {
			was, next := c.Leader(), c.Follower()
			ctx, cancel := within(20 * time.Second)
			done, err := k.Cluster().TransferLeader(ctx, next.Name())
			hint := done.Leader
			cancel()
			if err != nil || hint == nil {
				t.Fatalf("transfer from %s to %s: %+v, %v", was.Name(), next.Name(), hint, err)
			}
			if hint.Name != next.Name() || hint.Address != next.Name() || hint.ServerID != next.ID() {
				t.Errorf("%s leads, the answer names %+v", next.Name(), hint)
			}
			c.Until("the one that was told of leads", func() bool { return c.Leader() == next })
		}
	})
}

func TestPromotingAVoterSaysThatItVotesAlready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t).Cluster()
		ctx, cancel := within(time.Minute)
		defer cancel()
		added := c.AddServer()
		first, err := k.Promote(ctx, added.Name(), 0)
		if err != nil || first.VotedAlready || first.ConfigurationIndex == 0 {
			t.Fatalf("the first time: %+v, %v", first, err)
		}
		again, err := k.Promote(ctx, added.Name(), 0)
		if want := (client.Promoted{ConfigurationIndex: first.ConfigurationIndex, VotedAlready: true}); err != nil || again != want {
			t.Errorf("again: %+v, %v, want %+v", again, err, want)
		}
	})
}

func TestMembersSayWhatIsKnownAndThatTheRestIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The servers of a servertest do not gossip.
		c := servertest.Start(t)
		for _, s := range c.Servers() {
			members, err := c.Client(t).Cluster().Members(t.Context(), client.OnEndpoint(s.Name()))
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range members.Members {
				want := "UNKNOWN"
				if m.Name == s.Name() {
					want = "ALIVE"
				}
				if m.Liveness != want || m.RaftAddress == "" || m.RaftEndpoint == "" {
					t.Errorf("%s of %s: %+v, want %s", s.Name(), m.Name, m, want)
				}
			}
			w := members.Witness
			if w == nil || w.Served != candor.FreshnessBestEffort || w.ServedByLeader {
				t.Fatalf("%s speaks for itself alone, its witness says %+v", s.Name(), w)
			}
			proven := w.Class == candor.ServingBoundedStale && w.Mechanism == candor.MechanismProvenView && w.StalenessBound != nil
			if !proven && (w.Class != candor.ServingDegraded || w.Mechanism != candor.MechanismView) {
				t.Errorf("%s labels what it says of itself %+v", s.Name(), w)
			}
		}
	})
}

// TestANodesOwnAnswerTellsWhatIsProvenOfIt: a bound and a lag that are true, and
// once nothing is proven any more, that.
func TestANodesOwnAnswerTellsWhatIsProvenOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		var known ledger
		k, cut := c.Client(t), c.Follower()
		known.acknowledged(mustCreate(t, k, "one").Token)
		own := func(name string) *candor.Witness {
			t.Helper()
			asked := time.Now()
			members, err := k.Cluster().Members(t.Context(), client.OnEndpoint(name), client.WithoutSession())
			if err != nil {
				t.Fatal(err)
			}
			known.honest(t, members.Witness, asked)
			return members.Witness
		}
		for _, s := range c.Servers() {
			c.Until(s.Name()+" has proven something", func() bool {
				w := own(s.Name())
				return w.StalenessBound != nil && w.RootLag != nil && w.Mode == candor.ModeHealthy && w.CatchUp == candor.CatchUpFresh
			})
		}
		c.Isolate(cut.Name())
		since := time.Now()
		others := c.Client(t, c.Leader().Name())
		for i := range 50 {
			known.acknowledged(mustCreate(t, others, fmt.Sprintf("later-%d", i)).Token)
			notProvenAfter(t, own(cut.Name()), since)
			time.Sleep(100 * time.Millisecond)
		}
		if w := own(cut.Name()); w.Class != candor.ServingDegraded || w.Mode != candor.ModeRootUnavailable || w.CatchUp == candor.CatchUpFresh || w.SyncHealth != "UNPROVEN" {
			t.Errorf("cut off for %s, the follower says %+v", time.Since(since), w)
		}
		c.Heal()
		wantEqualStates(t, c)
	})
}

// TestAnIdleLeaderTellsClusterTime: the state's own stands still while nothing
// is written, and a write must be stamped with what the leader will say.
func TestAnIdleLeaderTellsClusterTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithDuties())
		k := c.Client(t)
		mustCreate(t, k, "one")
		leader, follower := c.Leader(), c.Follower()
		before := leader.Machine().View().ClusterTime()
		time.Sleep(10 * time.Minute)
		told, err := k.Cluster().Status(t.Context(), client.OnEndpoint(leader.Name()))
		if err != nil || told.ClusterTime < before+int64(10*time.Minute) || told.Witness.ClusterTime != before {
			t.Errorf("after a while the leader tells %+v, %v; the state had %d", told, err, before)
		}
		other, err := k.Cluster().Status(t.Context(), client.OnEndpoint(follower.Name()))
		if err != nil || other.ClusterTime != 0 {
			t.Errorf("a follower tells %d, %v", other.ClusterTime, err)
		}
		mustCreate(t, k, "two")
		if now := leader.Machine().View().ClusterTime(); now < told.ClusterTime {
			t.Errorf("the next write was stamped %d, before what the leader told, %d", now, told.ClusterTime)
		}
	})
}

func TestTheAnswerToAWriteSaysThatTheLeaderGaveIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		follower := c.Follower()
		direct := mustCreate(t, c.Client(t, c.Leader().Name()), "direct")
		if !direct.Witness.ServedByLeader || direct.Witness.NodeID != c.Leader().ID() {
			t.Errorf("the leader's own answer: %+v", direct.Witness)
		}
		k, err := client.New(client.Config{Endpoints: []string{follower.Name()}, Actor: "test", Dialer: c.Dialer()})
		if err != nil {
			t.Fatal(err)
		}
		defer k.Close()
		ctx, cancel := within(20 * time.Second)
		defer cancel()
		forwarded, err := k.Create(ctx, namespace("forwarded"))
		if err != nil {
			t.Fatal(err)
		}
		if w := forwarded.Witness; w.ServedByLeader != (w.NodeID == c.Leader().ID()) {
			t.Errorf("a follower's answer: %+v", w)
		}
		dry, err := k.Create(ctx, namespace("dry"), client.WithDryRun())
		if err != nil || dry.Witness.ServedByLeader {
			t.Errorf("a dry run proves nothing: %+v, %v", dry.Witness, err)
		}
	})
}

// TestAServerTellsHowItStartedAndThatItHasRecovered crashes a server of files
// and starts it again: that the start followed a crash stays true, and the
// recovery ends.
func TestAServerTellsHowItStartedAndThatItHasRecovered(t *testing.T) {
	data, raft := t.TempDir(), freeAddress(t)
	first := alone(t, server.Config{Data: data, Raft: raft, Bootstrap: true})
	k := clientOf(t, first, nil)
	for _, name := range []string{"one", "two"} {
		mustCreate(t, k, name)
	}
	if status, err := k.Cluster().Status(t.Context()); err != nil || status.RestartState != candor.RestartReady || !status.Recovered {
		t.Errorf("the first start: %+v, %v", status, err)
	}
	if err := first.Replica().Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Close()
	again := clientOf(t, alone(t, server.Config{Data: data, Raft: raft}), nil)
	mustCreate(t, again, "three")
	status, err := again.Cluster().Status(t.Context())
	if err != nil || status.RestartState != candor.RestartCatchUp || status.RestartReason == "" || !status.Recovered {
		t.Errorf("after a crash: %+v, %v", status, err)
	}
}
