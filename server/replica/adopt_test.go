package replica

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
)

// TestARebuiltStateTakesTheOldOnesPlaceWhileWritesGoOn: the served position never
// goes back, the state is the majority's, and it is what a restart begins with.
func TestARebuiltStateTakesTheOldOnesPlaceWhileWritesGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader := c.leader()
		bad := c.follower()
		first := c.mustPropose(leader, "first")
		for i := range 50 {
			c.mustPropose(leader, fmt.Sprint("before", i))
		}
		old := snapshotted(t, leader)
		for i := range 300 {
			c.mustPropose(leader, fmt.Sprint("after", i))
		}
		c.until("followed", time.Second, func() bool { return has(bad, "after299") })
		c.spoil(bad, first.Index)
		if has(bad, "first") || !has(bad, "wrong") {
			t.Fatal("the state is not spoilt")
		}
		l := newLedger()
		stop := c.writers(3, l)
		done := make(chan struct{})
		var watching sync.WaitGroup
		watching.Go(func() {
			r := bad.replica()
			for served := (candor.Token{}); ; {
				now := r.machine.View().Token()
				if now.Index < served.Index || now.Revision < served.Revision {
					t.Errorf("served %s after %s", now, served)
				}
				served = now
				select {
				case <-done:
					return
				case <-time.After(time.Millisecond):
				}
			}
		})
		time.Sleep(50 * time.Millisecond)
		if err := bad.replica().Adopt(within(10*time.Second), rebuild(t, bad, old)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond)
		close(done)
		watching.Wait()
		stop()
		if !has(bad, "first") || has(bad, "wrong") || !c.agrees(bad) {
			t.Error("the state is still the old one")
		}
		c.check(l)
		// A crash finds the snapshot that was taken, not the state from before.
		if bad.replica().lastSnapshot.index.Load() == 0 {
			t.Error("nothing was made durable")
		}
		c.stop(bad, false)
		c.start(bad)
		c.mustPropose(c.leader(), "restarted")
		c.converged("restarted")
		if !has(bad, "first") || has(bad, "wrong") {
			t.Error("the old state is back")
		}
	})
}

func TestALeaderAdoptsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader := c.leader()
		c.mustPropose(leader, "one")
		before := leader.replica().machine.View()
		err := leader.replica().Adopt(within(time.Second), rebuild(t, leader, snapshotted(t, leader)))
		wantReason(t, err, candor.ReasonUnavailable)
		if leader.replica().machine.View() != before {
			t.Error("its view is another")
		}
	})
}

// TestALogThatDoesNotReachBackLeavesTheOldView, which goes on.
func TestALogThatDoesNotReachBackLeavesTheOldView(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3, tinySnapshots)
		leader := c.leader()
		c.mustPropose(leader, "one")
		old := snapshotted(t, leader)
		n := c.follower()
		// Twice what a snapshot takes stays behind it, and one holds the built-in kinds.
		for i := range 1500 {
			c.mustPropose(leader, fmt.Sprint("n", i))
		}
		c.until("followed", time.Second, func() bool { return has(n, "n1499") })
		if err := n.replica().Snapshot(within(time.Second)); err != nil {
			t.Fatal(err)
		}
		c.until("the log is cut", 5*time.Second, func() bool {
			first, err := n.replica().log.FirstIndex()
			return err == nil && first > 100
		})
		before := n.replica().machine.View()
		err := n.replica().Adopt(within(time.Second), rebuild(t, n, old))
		wantReason(t, err, candor.ReasonUnavailable)
		if n.replica().machine.View() != before {
			t.Error("the view is another")
		}
		c.mustPropose(c.leader(), "after")
		c.converged("after")
		if !has(n, "n150") {
			t.Error("the old view is not whole")
		}
	})
}

// TestAStateAheadOfThisServerIsWaitedFor, until the deadline.
func TestAStateAheadOfThisServerIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader := c.leader()
		n := c.follower()
		c.mustPropose(leader, "one")
		c.converged("one")
		c.net.isolate(n.address)
		token := c.mustPropose(leader, "ahead")
		snapshot := snapshotted(t, leader)
		before := n.replica().machine.View()
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		err := n.replica().Adopt(ctx, rebuild(t, n, snapshot))
		wantReason(t, err, candor.ReasonTimedOut)
		if took := time.Since(began); took != 100*time.Millisecond || n.replica().machine.View() != before {
			t.Errorf("after %s it is at %s", took, n.replica().machine.View().Token())
		}
		adopted := make(chan error, 1)
		go func() { adopted <- n.replica().Adopt(within(20*time.Second), rebuild(t, n, snapshot)) }()
		time.Sleep(100 * time.Millisecond)
		c.net.heal()
		if err := <-adopted; err != nil || !n.replica().machine.View().Token().Covers(token) {
			t.Errorf("adopted at %s: %v", n.replica().machine.View().Token(), err)
		}
		c.mustPropose(c.leader(), "after")
		c.converged("after")
	})
}

// TestAnAdoptionThatCannotBeMadeDurableSaysSo: raft takes no snapshot before it
// has applied an entry, and a restart would bring the old state back.
func TestAnAdoptionThatCannotBeMadeDurableSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader := c.leader()
		token := c.mustPropose(leader, "one")
		c.converged("one")
		n := c.follower()
		c.spoil(n, token.Index)
		if err := n.replica().Snapshot(within(time.Second)); err != nil {
			t.Fatal(err)
		}
		c.stop(n, false)
		c.start(n)
		c.until("a follower again", time.Second, func() bool { return n.replica().Leader() != nil })
		if !has(n, "wrong") {
			t.Fatal("the spoilt state did not come back")
		}
		err := n.replica().Adopt(within(time.Second), rebuild(t, n, snapshotted(t, leader)))
		wantReason(t, err, candor.ReasonUnavailable)
		c.mustPropose(leader, "two")
		c.until("followed", time.Second, func() bool { return has(n, "two") })
		if err := n.replica().Adopt(within(time.Second), rebuild(t, n, snapshotted(t, leader))); err != nil {
			t.Fatal(err)
		}
		c.stop(n, false)
		c.start(n)
		c.mustPropose(leader, "three")
		c.converged("three")
		if has(n, "wrong") {
			t.Error("the old state is back")
		}
	})
}

// TestEntriesAreReadAsRaftHandsThemOver: commands and configurations, in batches.
func TestEntriesAreReadAsRaftHandsThemOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3, func(s *Settings) { s.MaxAppendEntries = 4 })
		leader := c.leader()
		for i := range 10 {
			c.mustPropose(leader, fmt.Sprint("n", i))
		}
		// An entry that no state machine sees lies between.
		if err := leader.replica().raft.Barrier(time.Second).Error(); err != nil {
			t.Fatal(err)
		}
		last := c.mustPropose(leader, "last")
		r := leader.replica()
		var at uint64
		var kinds []bool
		for at < last.Index {
			batch, err := r.committed(at, last.Index)
			if err != nil || len(batch) == 0 || len(batch) > 4 {
				t.Fatalf("after %d: %d entries, %v", at, len(batch), err)
			}
			for _, e := range batch {
				var stored raft.Log
				if err := r.log.GetLog(e.Index, &stored); err != nil || stored.Term != e.Term || e.Index <= at {
					t.Errorf("entry %d after %d is not the log's: %v", e.Index, at, err)
				}
				at = e.Index
				kinds = append(kinds, e.Configuration)
			}
		}
		if at != last.Index || len(kinds) >= int(last.Index) || !kinds[0] || kinds[len(kinds)-1] {
			t.Errorf("read %d entries up to %d of %d", len(kinds), at, last.Index)
		}
		_, err := r.committed(last.Index, last.Index+5)
		wantReason(t, err, candor.ReasonUnavailable)
	})
}
