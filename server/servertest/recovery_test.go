package servertest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

// TestALaggingFollowerThatRestartsRecoversFirst: its view begins behind what it
// served before it was killed. Until it is back there it serves best effort alone
// and says what it does; then its bounds are true.
func TestALaggingFollowerThatRestartsRecoversFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithData(t.TempDir()))
		var known ledger
		leader, behind := c.Leader(), c.Follower()
		k := c.Client(t, leader.Name())
		known.acknowledged(mustCreate(t, k, "one").Token)
		same := func() bool { return behind.Machine().View().Token() == leader.Machine().View().Token() }
		c.Until("it has it", same)
		if err := behind.Replica().Snapshot(t.Context()); err != nil {
			t.Fatal(err)
		}
		known.acknowledged(mustCreate(t, k, "more").Token)
		c.Until("it has that too", same)
		served := behind.Machine().View().Token()
		c.Kill(behind.Name())
		known.acknowledged(mustCreate(t, k, "two").Token)
		c.Isolate(behind.Name())
		again := c.Restart(behind.Name())
		r := readerOf(t, c, again)
		// Alone, it has its log and nobody who says what of it is committed.
		for range 10 {
			w := r.served(t, weak())
			if w.Class != candor.ServingDegraded || w.CatchUp != candor.CatchUpRecovering || w.CatchUpAction != candor.CatchUpAdvance || w.StalenessBound != nil || w.RootLag != nil || w.ServedToken.Covers(served) {
				t.Errorf("alone after its start: %+v", w)
			}
			r.refused(t, bounded(time.Hour), candor.ReasonRecovering)
			r.refused(t, anywhere(), candor.ReasonLeadershipUnconfirmed)
			time.Sleep(200 * time.Millisecond)
		}
		c.Heal()
		for began := time.Now(); ; time.Sleep(time.Millisecond) {
			asked := time.Now()
			w, err := r.get(t, bounded(time.Second), 100*time.Millisecond)
			if err == nil {
				known.honest(t, w, asked)
				if !w.ServedToken.Covers(served) {
					t.Errorf("a bounded read at %s, and it had served %s", w.ServedToken, served)
				}
				break
			}
			if time.Since(began) > 20*time.Second {
				t.Fatalf("it does not serve again: %v", err)
			}
		}
		asked := time.Now()
		known.honest(t, r.served(t, anywhere()), asked)
		wantEqualStates(t, c)
	})
}

// TestWithoutALeaderAFreshFollowerIsDegradedForCoordination: its view is as good
// as it says, and nobody coordinates.
func TestWithoutALeaderAFreshFollowerIsDegradedForCoordination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithFreshness(func(f *server.Freshness) {
			f.Policy.FreshAge, f.Policy.Window = 5*time.Second, 10*time.Second
		}))
		var known ledger
		known.acknowledged(mustCreate(t, c.Client(t), "one").Token)
		left := c.Follower()
		r := readerOf(t, c, left)
		time.Sleep(time.Second)
		told := follow(t, r)
		for _, s := range without(c, left) {
			c.Kill(s.Name())
		}
		c.Until("it knows no leader", func() bool { return left.Replica().Status().Leader == nil })
		asked := time.Now()
		w := r.served(t, bounded(5*time.Second))
		known.honest(t, w, asked)
		if w.Mode != candor.ModeCoordinatorDegraded || w.DegradedReason != "NO_LEADER" || w.CatchUp != candor.CatchUpFresh || w.Leader != nil {
			t.Errorf("%+v", w)
		}
		r.refused(t, strong(), candor.ReasonNotLeader)
		r.refused(t, anywhere(), candor.ReasonLeadershipUnconfirmed)
		time.Sleep(11 * time.Second)
		if w := r.served(t, weak()); w.Mode != candor.ModeRootUnavailable || w.Class != candor.ServingDegraded {
			t.Errorf("after the window: %+v", w)
		}
		told.wantOrder(t, "FRESH/NONE/HEALTHY/", "FRESH/NONE/COORDINATOR_DEGRADED/NO_LEADER", "LAGGING/ADVANCE/ROOT_LAGGING/PROOF_AGE", "/NONE/ROOT_UNAVAILABLE/NO_PROOF")
		told.wantSteady(t)
	})
}

// TestAServerThatStopsSaysThatItDrains, as long as it still answers.
func TestAServerThatStopsSaysThatItDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		leader := c.Leader()
		mustCreate(t, c.Client(t), "one")
		r := readerOf(t, c, leader)
		time.Sleep(time.Second)
		for _, s := range without(c, leader) {
			// Handing over takes its time.
			c.Slow(leader.Name(), s.Name(), 60*time.Millisecond)
			c.Starve(s.Name())
		}
		k := c.Client(t, leader.Name())
		ctx, cancel := within(50 * time.Millisecond)
		_, err := k.Create(ctx, namespace("lost"))
		cancel()
		wantReason(t, err, candor.ReasonOutcomeUnknown)
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			c.Stop(leader.Name())
		}()
		time.Sleep(10 * time.Millisecond)
		w := r.served(t, weak())
		if w.Mode != candor.ModeCoordinatorDegraded || w.DegradedReason != "DRAINING" {
			t.Errorf("while it stops: %+v", w)
		}
		c.Heal()
		<-stopped
	})
}
