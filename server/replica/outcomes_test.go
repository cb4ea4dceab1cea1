package replica

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
)

// request proposes as an entrance does, under a request ID.
func (n *node) request(ctx context.Context, id string, c *command.Command) (fsm.Result, error) {
	r := n.replica()
	c.Actor, c.RequestID = "ana", id
	for _, other := range n.cluster.nodes {
		c.NotAfter = max(c.NotAfter, other.replica().machine.View().ClusterTime()+int64(time.Minute))
	}
	r.Outcomes.Begin("ana", id)
	result, err := r.Propose(ctx, Proposal{Command: command.AppendCommand(nil, c), Actor: "ana", RequestID: id})
	became, _ := becameOf(&result, err)
	if became.Outcome == candor.OutcomeApplied {
		became = Became{}
	}
	r.Outcomes.End("ana", id, became.Outcome, became.Reason)
	return result, err
}

// outcome is what the server tells: what it knows of the request first, the root
// then.
func (n *node) outcome(id string) string {
	became := n.replica().Outcomes.Find("ana", id)
	if _, ok := n.replica().machine.Outcome("ana", id); ok {
		return string(candor.OutcomeApplied)
	}
	if became.Reason != "" {
		return string(became.Outcome) + " " + string(became.Reason)
	}
	return string(became.Outcome)
}

func (n *node) wantOutcome(id, want string) {
	n.cluster.t.Helper()
	if got := n.outcome(id); got != want {
		n.cluster.t.Errorf("%s: outcome %q, want %q", id, got, want)
	}
}

func namespaceCommand(name string) *command.Command {
	c := new(command.Command)
	if err := command.DecodeCommand(create(name), c); err != nil {
		panic(err)
	}
	return c
}

func TestTheOutcomeOfAWriteIsKnownOnTheServerThatTookIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3, oneLane)
		leader := c.leader()
		release := leader.disk.stop()
		brief, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer stop()
		errs := make(chan error, 3)
		run := func(ctx context.Context, id string) {
			go func() {
				_, err := leader.request(ctx, id, namespaceCommand(id))
				errs <- err
			}()
			synctest.Wait()
		}
		run(brief, "entered")
		run(brief, "waiting")
		run(t.Context(), "patient")
		leader.wantOutcome("entered", "PROPOSED")
		leader.wantOutcome("waiting", "QUEUED")
		wantReason(t, <-errs, candor.ReasonOutcomeUnknown, candor.ReasonTimedOut)
		wantReason(t, <-errs, candor.ReasonOutcomeUnknown, candor.ReasonTimedOut)
		// The caller has gone and nobody knows; the other surely was not done.
		leader.wantOutcome("entered", "PROPOSED")
		leader.wantOutcome("waiting", "REJECTED TIMED_OUT")
		leader.wantOutcome("patient", "QUEUED")
		release()
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"entered", "patient"} {
			leader.wantOutcome(id, "APPLIED")
		}
		if _, err := leader.request(t.Context(), "again", namespaceCommand("patient")); err != nil {
			t.Fatal(err)
		}
		leader.wantOutcome("again", "FAILED ALREADY_EXISTS")
		leader.wantOutcome("never", "")
		// A repeat of what was not done begins anew.
		if _, err := leader.request(t.Context(), "waiting", namespaceCommand("waiting")); err != nil {
			t.Fatal(err)
		}
		leader.wantOutcome("waiting", "APPLIED")
		if n := len(leader.replica().Outcomes.requests); n != 1 {
			t.Errorf("%d requests are remembered, want the failed one", n)
		}
	})
}

func TestTheOutcomeOfAForwardedWriteIsKnownOnBothServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader, follower := c.leader(), c.follower()
		release := leader.disk.stop()
		done := make(chan error, 1)
		go func() {
			_, err := follower.request(t.Context(), "r", namespaceCommand("r"))
			done <- err
		}()
		synctest.Wait()
		follower.wantOutcome("r", "PROPOSED")
		leader.wantOutcome("r", "PROPOSED")
		release()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		follower.wantOutcome("r", "APPLIED")
		leader.wantOutcome("r", "APPLIED")
		if _, err := follower.request(t.Context(), "twice", namespaceCommand("r")); err != nil {
			t.Fatal(err)
		}
		follower.wantOutcome("twice", "FAILED ALREADY_EXISTS")
		leader.wantOutcome("twice", "FAILED ALREADY_EXISTS")

		// Its view is behind: the write is done all the same.
		hold := follower.disk.stop()
		brief, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer stop()
		_, err := follower.request(brief, "late", namespaceCommand("late"))
		wantReason(t, err, candor.ReasonRootTokenNotReached)
		if got := follower.replica().Outcomes.Find("ana", "late"); got.Outcome != candor.OutcomeApplied || got.Token.Revision == 0 {
			t.Errorf("done and not shown yet: %+v", got)
		}
		hold()
		c.converged("late")

		follower.replica().peers.(*testPeers).forget.Store(true)
		lost, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		_, err = follower.request(lost, "lost", namespaceCommand("lost"))
		wantReason(t, err, candor.ReasonOutcomeUnknown)
		if got := follower.replica().Outcomes.Find("ana", "lost"); got.Outcome != candor.OutcomeProposed {
			t.Errorf("the answer was lost: %+v", got)
		}
		c.converged("lost")
		follower.wantOutcome("lost", "APPLIED")
	})
}

func TestWhatIsRememberedOfRequestsIsBounded(t *testing.T) {
	o := newOutcomes()
	for i := range 3 * outcomesKept {
		id := fmt.Sprint(i)
		o.Begin("ana", id)
		if i%2 == 0 {
			o.find("ana", id).went() // and nobody ever knows
			o.End("ana", id, "", "")
		} else {
			o.End("ana", id, candor.OutcomeRejected, candor.ReasonQueueSaturated)
		}
	}
	if n := len(o.requests); n != outcomesKept {
		t.Errorf("%d requests are remembered, want %d", n, outcomesKept)
	}
	last := fmt.Sprint(3*outcomesKept - 1)
	if got := o.Find("ana", last); got.Outcome != candor.OutcomeRejected {
		t.Errorf("the newest: %+v", got)
	}
	if got := o.Find("ana", "0"); got != (Became{}) {
		t.Errorf("the oldest: %+v", got)
	}
	for i := range 3 * outcomesKept {
		id := fmt.Sprint("done-", i)
		o.Begin("ana", id)
		o.find("ana", id).went()
		o.find("ana", id).hears(candor.Token{}, new(fsm.Result), nil)
		o.End("ana", id, "", "")
	}
	if got := o.Find("ana", last); got.Outcome != candor.OutcomeRejected {
		t.Errorf("what was done, and the root remembers, took the place of %+v", got)
	}
}

// However many attempts there are at a request and however they end, what is
// told of it moves forward, and says "not done" only when none of them can be.
func TestAnOutcomeOnlyMovesForward(t *testing.T) {
	rank := map[candor.Outcome]int{"": 0, candor.OutcomeQueued: 1, candor.OutcomeProposed: 2, candor.OutcomeRejected: 3, candor.OutcomeFailed: 3, candor.OutcomeApplied: 4}
	rapid.Check(t, func(t *rapid.T) {
		o := newOutcomes()
		calls, away := 0, []*request{}
		last := Became{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			anew := false
			switch step := rapid.IntRange(0, 4).Draw(t, "step"); {
			case step == 0:
				anew = calls == 0 && len(away) == 0
				o.Begin("ana", "r")
				calls++
			case step == 1 && calls > 0:
				r := o.find("ana", "r")
				r.went()
				away = append(away, r)
			case step == 2 && len(away) > 0:
				away[0].hears(candor.Token{}, nil, candor.Errorf(candor.ReasonNotLeader, "x"))
				away = away[1:]
			case step == 3 && len(away) > 0:
				away[0].hears(candor.Token{Term: 1, Index: 1, Revision: 1}, new(fsm.Result), nil)
				away = away[1:]
			case step == 4 && calls > 0:
				o.End("ana", "r", candor.OutcomeRejected, candor.ReasonTimedOut)
				calls--
			}
			now := o.Find("ana", "r")
			if rank[now.Outcome] < rank[last.Outcome] && (!anew || last.Outcome == candor.OutcomeApplied) {
				t.Fatalf("%+v after %+v", now, last)
			}
			if rank[now.Outcome] == 3 && (calls > 0 || len(away) > 0) {
				t.Fatalf("%+v, with %d calls and %d attempts under way", now, calls, len(away))
			}
			last = now
		}
	})
}
