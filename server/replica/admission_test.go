package replica

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
)

func oneLane(s *Settings) { s.Lanes = 1 }

// With the disk stopped the first command is on its way and the rest wait.
func TestADeadlineOrACancelWhileQueuedMeansNotDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3, oneLane)
		leader := c.leader()
		c.mustPropose(leader, "before")
		release := leader.disk.stop()
		results := map[string]chan error{"entered": make(chan error, 1), "late": make(chan error, 1), "cancelled": make(chan error, 1), "patient": make(chan error, 1)}
		run := func(name string, ctx context.Context) {
			go func() {
				_, err := leader.replica().Propose(ctx, Proposal{Command: create(name)})
				results[name] <- err
			}()
			synctest.Wait()
		}
		brief, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer stop()
		cancelled, cancel := context.WithCancel(t.Context())
		run("entered", brief)
		run("late", brief)
		run("cancelled", cancelled)
		run("patient", t.Context())
		if commands, _ := leader.replica().queue.depth(); commands != 3 {
			t.Fatalf("%d commands wait, want 3", commands)
		}
		cancel()
		wantReason(t, <-results["cancelled"], candor.ReasonCanceled)
		wantReason(t, <-results["late"], candor.ReasonTimedOut)
		wantReason(t, <-results["entered"], candor.ReasonOutcomeUnknown)
		if commands, bytes := leader.replica().queue.depth(); commands != 1 || bytes != len(create("patient")) {
			t.Errorf("%d commands of %d bytes wait, want 1", commands, bytes)
		}
		release()
		if err := <-results["patient"]; err != nil {
			t.Errorf("who waited: %v", err)
		}
		c.converged("patient")
		if !has(leader, "entered") {
			t.Error("the command on its way is gone, though its server stayed leader")
		}
		if has(leader, "late") || has(leader, "cancelled") {
			t.Error("a command that was surely not done was done")
		}
	})
}

func TestAFullQueueRefusesAtOnceAndTakesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3, oneLane, func(s *Settings) { s.QueueCommands = 10 })
		leader := c.leader()
		release := leader.disk.stop()
		var wg sync.WaitGroup
		errs := make(chan error, 20)
		for i := range 20 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				_, err := leader.replica().ServeForward(ctx, create(fmt.Sprint("n", i)), 0, 0)
				errs <- err
			})
			synctest.Wait()
		}
		for range 9 {
			wantReason(t, <-errs, candor.ReasonQueueSaturated)
		}
		release()
		wg.Wait()
		close(errs)
		for err := range errs {
			if err != nil {
				t.Error(err)
			}
		}
		c.mustPropose(leader, "after")
		var saturated, accepted uint64
		for _, a := range leader.replica().Status().Admissions {
			switch {
			case a.Class == candor.AdmitWrite && a.Reason == candor.ReasonQueueSaturated:
				saturated = a.Count
			case a.Class == candor.AdmitWrite && a.Reason == admitted:
				accepted = a.Count
			}
		}
		if saturated != 9 || accepted != 11 {
			t.Errorf("counted %d saturated and %d accepted of what was forwarded here, want 9 and 11", saturated, accepted)
		}
	})
}

func TestManyCallersShareEntriesAndEachGetsItsOwnResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3, func(s *Settings) { s.MaxCommandsPerEntry = 64 })
		leader := c.leader()
		before := leader.replica().applied.index.Load()
		release := leader.disk.stop()
		var wg sync.WaitGroup
		var mu sync.Mutex
		seen := map[uint64]string{}
		for i := range 500 {
			wg.Go(func() {
				name := fmt.Sprint("n", i%400)
				result, err := propose(leader.replica(), name, time.Minute)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				if result.Err() != nil {
					wantReason(t, result.Err(), candor.ReasonAlreadyExists)
					return
				}
				if other, ok := seen[result.Token.Revision]; ok {
					t.Errorf("%s and %s have revision %d both", other, name, result.Token.Revision)
				}
				seen[result.Token.Revision] = name
			})
		}
		synctest.Wait()
		release()
		wg.Wait()
		if len(seen) != 400 {
			t.Errorf("%d created, want 400", len(seen))
		}
		entries := leader.replica().applied.index.Load() - before
		if entries < 8 || entries > 20 {
			t.Errorf("500 commands took %d entries of at most 64", entries)
		}
		for revision, name := range seen {
			v, err := leader.replica().machine.View().Get(candor.Ref{Kind: candor.KindNamespaces, Name: name}, 0)
			if err != nil || v == nil || v.Revision != revision {
				t.Fatalf("%s: answered revision %d, has %v %v", name, revision, v, err)
			}
		}
	})
}

func TestARequestForAnotherConfigurationIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		for _, n := range []*node{c.leader(), c.follower()} {
			now := n.replica().Configuration().Index
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := n.replica().Propose(ctx, Proposal{Command: create("x" + n.id), ExpectedConfiguration: now + 5})
			wantReason(t, err, candor.ReasonEpochMismatch)
			if _, err := n.replica().Propose(ctx, Proposal{Command: create("y" + n.id), ExpectedConfiguration: now}); err != nil {
				t.Errorf("the right configuration: %v", err)
			}
			cancel()
		}
	})
}

func TestAForwardedRequestIsNotForwardedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader, follower := c.leader(), c.follower()
		_, err := follower.replica().ServeForward(t.Context(), create("x"), 0, 0)
		wantReason(t, err, candor.ReasonNotLeader)
		term := leader.replica().raft.CurrentTerm()
		_, err = leader.replica().ServeForward(t.Context(), create("x"), term+1, 0)
		wantReason(t, err, candor.ReasonNotLeader)
		answer, err := leader.replica().ServeForward(t.Context(), create("x"), term, 0)
		if err != nil || answer.Token.Term != term {
			t.Errorf("answer %+v %v", answer, err)
		}
		_, err = follower.replica().Propose(t.Context(), Proposal{Command: create("y"), Local: true})
		wantReason(t, err, candor.ReasonNotLeader)
		// Leadership is lost between the look and the queue.
		follower.replica().leading.Store(&leadership{term: term})
		_, err = follower.replica().ServeForward(t.Context(), create("z"), term, 0)
		wantReason(t, err, candor.ReasonNotLeader)
		follower.replica().leading.Store(nil)
	})
}

func TestAForwardWhoseAnswerIsLostIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		follower := c.follower()
		follower.replica().peers.(*testPeers).forget.Store(true)
		_, err := propose(follower.replica(), "x", time.Second)
		wantReason(t, err, candor.ReasonOutcomeUnknown)
		c.converged("x")
	})
}

// A follower that is cut from the log, but not from the leader's ear, knows that
// its command is done and says that its view does not show it.
func TestAFollowerSaysWhenItsViewDoesNotShowTheWriteInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		follower := c.follower()
		release := follower.disk.stop()
		_, err := propose(follower.replica(), "x", 300*time.Millisecond)
		wantReason(t, err, candor.ReasonRootTokenNotReached)
		release()
		c.converged("x")
	})
}

func TestWhatIsTooLargeOrEmptyIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1)
		r := c.leader().replica()
		_, err := r.Propose(t.Context(), Proposal{Command: make([]byte, candor.MaxEntryBytes)})
		wantReason(t, err, candor.ReasonTurnTooLarge)
		_, err = r.Propose(t.Context(), Proposal{})
		wantReason(t, err, candor.ReasonInvalid)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = r.Propose(ctx, Proposal{Command: create("x")})
		wantReason(t, err, candor.ReasonCanceled)
	})
}

func TestAQuotaRefusesWhatGrowsAndLetsRoomBeMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1, func(s *Settings) { s.QuotaBytes = 1 })
		r := c.leader().replica()
		_, err := propose(r, "x", time.Second)
		wantReason(t, err, candor.ReasonQuotaExceeded)
		compact := command.AppendCommand(nil, command.Compact(1))
		if _, err := r.Propose(t.Context(), Proposal{Command: compact, Frees: true}); err != nil {
			t.Errorf("what makes room: %v", err)
		}
	})
}

func TestAFullDiskRefusesWritesAndHandsLeadershipAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader := c.leader()
		c.mustPropose(leader, "before")
		leader.disk.failWith(syscall.ENOSPC)
		_, err := propose(leader.replica(), "x", time.Second)
		wantReason(t, err, candor.ReasonOutcomeUnknown)
		if leader.died() != nil || !leader.replica().disk.pressed.Load() {
			t.Errorf("died of %v, pressure %v", leader.died(), leader.replica().disk.pressed.Load())
		}
		next := c.leader(leader)
		c.mustPropose(next, "after")
		leader.disk.failWith(nil)
		c.converged("after")
	})
}

func TestAFailedLogWriteEndsTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader := c.leader()
		leader.disk.failWith(syscall.EIO)
		_, err := propose(leader.replica(), "x", time.Second)
		wantReason(t, err, candor.ReasonOutcomeUnknown)
		if !errors.Is(leader.died(), syscall.EIO) {
			t.Errorf("died of %v", leader.died())
		}
		leader.disk.failWith(nil)
	})
}

func TestAHangingDiskEndsTheServerAndTheOthersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3, func(s *Settings) { s.WatchdogAfter = 2 * time.Second })
		leader := c.leader()
		release := leader.disk.stop()
		began := time.Now()
		go propose(leader.replica(), "x", 10*time.Second)
		c.until("ended by its watchdog", 5*time.Second, func() bool { return leader.died() != nil })
		if took := time.Since(began); took < 2*time.Second || took > 2*time.Second+3*watchdogTick {
			t.Errorf("the watchdog took %s", took)
		}
		if oldest := leader.replica().Status().OldestWriteInFlight; oldest < 2*time.Second {
			t.Errorf("oldest write in flight: %s", oldest)
		}
		// A real process has exited now.
		c.net.isolate(leader.address)
		c.mustPropose(c.leader(leader), "after")
		release()
		c.net.heal()
	})
}

func TestASlowDiskIsNoHangingOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3, func(s *Settings) { s.WatchdogAfter = 2 * time.Second })
		leader := c.leader()
		for i := range 6 {
			release := leader.disk.stop()
			go propose(leader.replica(), fmt.Sprint("n", i), 10*time.Second)
			time.Sleep(time.Second)
			release()
			time.Sleep(time.Millisecond)
		}
		if err := leader.died(); err != nil {
			t.Error(err)
		}
	})
}

func TestAStuckTransferIsFoundAndTwoShortOnesAreNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fatal error
		s := &stuckTransfer{limit: 500 * time.Millisecond, fatal: func(err error) { fatal = err }}
		s.observe(raft.ErrLeadershipTransferInProgress)
		time.Sleep(time.Hour)
		s.observe(raft.ErrLeadershipTransferInProgress)
		time.Sleep(100 * time.Millisecond)
		s.observe(nil)
		if fatal != nil {
			t.Fatal(fatal)
		}
		for range 6 {
			s.observe(raft.ErrLeadershipTransferInProgress)
			time.Sleep(100 * time.Millisecond)
		}
		if fatal != nil {
			t.Fatalf("after exactly the limit: %v", fatal)
		}
		s.observe(raft.ErrLeadershipTransferInProgress)
		if fatal == nil {
			t.Error("a transfer stuck for longer than the limit was not found")
		}
	})
}

func TestAStoppedServerRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader := c.leader()
		r := leader.replica()
		c.stop(leader, true)
		_, err := propose(r, "x", time.Second)
		wantReason(t, err, candor.ReasonShuttingDown)
		_, err = readIndex(r, time.Second)
		wantReason(t, err, candor.ReasonShuttingDown, candor.ReasonNotLeader)
		wantReason(t, r.WaitApplied(t.Context(), 1<<40), candor.ReasonShuttingDown)
		_, err = r.Join(t.Context(), raft.Server{ID: "x", Address: "y"}, 0)
		wantReason(t, err, candor.ReasonShuttingDown)
		if err := r.Close(t.Context()); err != nil {
			t.Errorf("a second close: %v", err)
		}
	})
}
