package replica

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
)

func within(limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	time.AfterFunc(limit, cancel)
	return ctx
}

func (c *cluster) suffrage(n *node) (raft.ServerSuffrage, bool) {
	configuration := c.leader().replica().Configuration()
	server, found := configuration.Find(raft.ServerID(n.id))
	return server.Suffrage, found
}

func TestAServerJoinsCatchesUpAndIsPromoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		l := newLedger()
		stop := c.writers(3, l)
		time.Sleep(200 * time.Millisecond)
		for _, want := range []int{4, 5} {
			x := c.add()
			c.start(x)
			leader := c.leader().replica()
			before := leader.Configuration().Index
			index, err := leader.Join(within(5*time.Second), raft.Server{ID: raft.ServerID(x.id), Address: x.address}, before)
			if err != nil || index <= before || leader.Configuration().Index != index {
				t.Fatalf("join: %d %v, configuration %+v", index, err, leader.Configuration())
			}
			if s, found := c.suffrage(x); !found || s != raft.Nonvoter {
				t.Errorf("after joining %s is %v %v", x.id, s, found)
			}
			again, err := leader.Join(within(5*time.Second), raft.Server{ID: raft.ServerID(x.id), Address: x.address}, 0)
			if err != nil || again != index {
				t.Errorf("joining twice: %d %v, want %d", again, err, index)
			}
			promoted, err := leader.Promote(within(5*time.Second), x.id, index)
			if err != nil || promoted <= index {
				t.Fatalf("promote: %d %v", promoted, err)
			}
			configuration := leader.Configuration()
			if got := len(configuration.Voters()); got != want {
				t.Errorf("%d voters, want %d", got, want)
			}
			if !c.leader().replica().IsVoter() {
				t.Error("the leader has no vote")
			}
		}
		time.Sleep(200 * time.Millisecond)
		stop()
		c.check(l)
	})
}

func TestAServerThatLagsIsNotPromoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3, func(s *Settings) { s.CatchUpTimeout = time.Second })
		leader := c.leader().replica()
		x := c.add()
		c.start(x)
		if _, err := leader.Join(within(5*time.Second), raft.Server{ID: raft.ServerID(x.id), Address: x.address}, 0); err != nil {
			t.Fatal(err)
		}
		release := x.disk.stop()
		c.mustPropose(c.leader(), "more")
		_, err := leader.Promote(within(5*time.Second), x.id, 0)
		wantReason(t, err, candor.ReasonNotCaughtUp)
		if s, _ := c.suffrage(x); s != raft.Nonvoter {
			t.Errorf("it has suffrage %v", s)
		}
		release()
		if _, err := leader.Promote(within(5*time.Second), x.id, 0); err != nil {
			t.Errorf("after it caught up: %v", err)
		}
	})
}

func TestAChangeForAnotherConfigurationIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader := c.leader().replica()
		now := leader.Configuration().Index
		_, err := leader.Join(within(time.Second), raft.Server{ID: "s9", Address: "a9"}, now+1)
		wantReason(t, err, candor.ReasonEpochMismatch)
		_, err = leader.Join(within(time.Second), raft.Server{ID: "s9", Address: c.nodes[0].address}, 0)
		wantReason(t, err, candor.ReasonMemberExists)
		_, err = leader.Promote(within(time.Second), "s9", 0)
		wantReason(t, err, candor.ReasonNotAMember)
		_, err = leader.Remove(within(time.Second), "s9", 0, false)
		wantReason(t, err, candor.ReasonNotAMember)
		_, err = c.follower().replica().Remove(within(time.Second), c.nodes[0].id, 0, false)
		wantReason(t, err, candor.ReasonNotLeader)
		wantReason(t, leader.TransferLeader(within(time.Second), "s9"), candor.ReasonNotAMember)
		wantReason(t, leader.TransferLeader(within(time.Second), c.leader().id), candor.ReasonInvalid)
	})
}

func TestARemovalThatRisksTheQuorumIsRefusedWithItsArithmetic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader := c.leader()
		var others []*node
		for _, n := range c.nodes {
			if n != leader {
				others = append(others, n)
			}
		}
		c.net.isolate(others[0].address)
		_, err := leader.replica().Remove(within(5*time.Second), others[1].id, 0, false)
		wantReason(t, err, candor.ReasonQuorumAtRisk)
		if want := "2 voters, of which 1 answer; a quorum needs 2"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
		// The dead one may go.
		if _, err := leader.replica().Remove(within(5*time.Second), others[0].id, 0, false); err != nil {
			t.Fatal(err)
		}
		c.net.heal()
		c.mustPropose(leader, "with two")
		if _, err := leader.replica().Remove(within(5*time.Second), others[1].id, 0, false); err != nil {
			t.Fatal(err)
		}
		c.mustPropose(leader, "alone")
		_, err = leader.replica().Remove(within(5*time.Second), leader.id, 0, true)
		wantReason(t, err, candor.ReasonQuorumAtRisk)
	})
}

func TestALeaderAskedToRemoveItselfHandsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		old := c.leader()
		_, err := old.replica().Remove(within(5*time.Second), old.id, 0, false)
		wantReason(t, err, candor.ReasonNotLeader)
		next := c.leader(old)
		index, err := next.replica().Remove(within(5*time.Second), old.id, 0, false)
		if err != nil {
			t.Fatal(err)
		}
		c.mustPropose(next, "without it")
		if _, found := next.replica().Configuration().Find(raft.ServerID(old.id)); found || next.replica().Configuration().Index != index {
			t.Errorf("configuration %+v", next.replica().Configuration())
		}
		_, err = propose(old.replica(), "by the removed", time.Second)
		if err == nil {
			t.Log("the removed server forwarded: it still knows the leader")
		}
	})
}

func TestLeadershipGoesWhereItIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		for i := range 6 {
			target := c.nodes[i%3]
			leader := c.leader()
			if target == leader {
				continue
			}
			began := time.Now()
			if err := leader.replica().TransferLeader(within(time.Second), target.id); err != nil {
				t.Fatal(err)
			}
			c.until("led by the target", time.Second, target.replica().Leading)
			if gap := time.Since(began); gap > 100*time.Millisecond {
				t.Errorf("the hand-over took %s", gap)
			}
			c.mustPropose(target, fmt.Sprint("n", i))
		}
	})
}

// A lagging follower gets a snapshot: small thresholds, and a log that is cut
// right behind it.
func tinySnapshots(s *Settings) {
	s.SnapshotBytes, s.SnapshotInterval = 4<<10, 50*time.Millisecond
	s.TrailingBytes, s.TrailingEntries = 1, 1
	s.LogCacheBytes = 1
}

func TestALaggingFollowerIsGivenASnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3, tinySnapshots)
		l := newLedger()
		c.leader()
		lagging := c.follower()
		stop := c.writers(3, l)
		for range 3 {
			c.net.isolate(lagging.address)
			before := lagging.replica().applied.index.Load()
			c.until("the log cut past the follower", 20*time.Second, func() bool {
				first, err := c.leader(lagging).replica().log.FirstIndex()
				return err == nil && first > before+10
			})
			c.net.heal()
			c.until("caught up", 20*time.Second, func() bool {
				return lagging.replica().applied.index.Load() > before+20
			})
		}
		stop()
		if lagging.replica().lastSnapshot.index.Load() == 0 {
			t.Error("it got no snapshot")
		}
		c.check(l)
		// And what it was given serves as a start.
		c.stop(lagging, false)
		c.start(lagging)
		c.mustPropose(c.leader(), "after")
		c.converged("after")
	})
}

func TestAJoiningServerIsGivenASnapshotWhereTheLogIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3, tinySnapshots)
		for i := range 300 {
			c.mustPropose(c.leader(), fmt.Sprint("n", i))
		}
		leader := c.leader().replica()
		if err := leader.Snapshot(t.Context()); err != nil {
			t.Fatal(err)
		}
		x := c.add()
		c.start(x)
		if _, err := leader.Join(within(5*time.Second), raft.Server{ID: raft.ServerID(x.id), Address: x.address}, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := leader.Promote(within(5*time.Second), x.id, 0); err != nil {
			t.Fatal(err)
		}
		if x.replica().lastSnapshot.index.Load() == 0 {
			t.Error("it got no snapshot")
		}
		if got, want := x.replica().Configuration(), leader.Configuration(); got.Index != want.Index {
			c.until("the configuration known", time.Second, func() bool { return x.replica().Configuration().Index == want.Index })
		}
		c.mustPropose(c.leader(), "after")
		c.converged("after")
	})
}

func TestTurnsGoOnWhileASnapshotIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3, func(s *Settings) { s.SnapshotRate = 1 << 10 })
		leader := c.leader()
		for i := range 200 {
			c.mustPropose(leader, fmt.Sprintf("name-%d-%x", i, i*i*i*7919))
		}
		done := make(chan error, 1)
		began := time.Now()
		go func() { done <- leader.replica().Snapshot(t.Context()) }()
		time.Sleep(50 * time.Millisecond)
		slowest := time.Duration(0)
		for i := range 50 {
			before := time.Now()
			c.mustPropose(leader, fmt.Sprint("meanwhile", i))
			slowest = max(slowest, time.Since(before))
		}
		select {
		case err := <-done:
			t.Fatalf("the snapshot was done already: %v", err)
		default:
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if slowest > 100*time.Millisecond {
			t.Errorf("a turn waited %s for the snapshot", slowest)
		}
		if took := time.Since(began); took < time.Second {
			t.Errorf("the snapshot took %s: its rate was not kept", took)
		}
	})
}
