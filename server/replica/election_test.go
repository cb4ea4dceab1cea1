package replica

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
)

func TestACommandIsAnsweredOnceAppliedOnLeaderAndFollower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader := c.leader()
		token := c.mustPropose(leader, "one")
		if got := leader.replica().machine.View().Token(); got != token || !has(leader, "one") {
			t.Errorf("leader's view is at %s, the write at %s", got, token)
		}
		follower := c.follower()
		token = c.mustPropose(follower, "two")
		if !has(follower, "two") || !follower.replica().machine.View().Token().Covers(token) {
			t.Error("a follower answered a write that its own view does not show")
		}
		c.converged("two")
	})
}

func TestASingleServerLeadsAndReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 1)
		n := c.leader()
		token := c.mustPropose(n, "one")
		index, term, err := n.replica().ReadIndex(t.Context())
		if err != nil || index < token.Index || term != token.Term {
			t.Errorf("read index %d term %d %v after %s", index, term, err, token)
		}
		if err := n.replica().TransferLeader(t.Context(), ""); candor.ReasonOf(err) != candor.ReasonQuorumAtRisk {
			t.Errorf("transfer without another voter: %v", err)
		}
	})
}

func TestABootstrappedServerIsNotBootstrappedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		n := c.leader()
		err := n.replica().Bootstrap(c.nodes[0].replica().Configuration().Servers)
		wantReason(t, err, candor.ReasonConflict)
		c.stop(c.nodes[0], true)
		err = c.start(c.nodes[0]).Bootstrap(n.replica().Configuration().Servers)
		wantReason(t, err, candor.ReasonConflict)
	})
}

// ledger remembers what writers were told.
type ledger struct {
	mu      sync.Mutex
	acked   map[string]candor.Token
	refused map[string]candor.Reason
	unknown int
}

func newLedger() *ledger {
	return &ledger{acked: map[string]candor.Token{}, refused: map[string]candor.Reason{}}
}

func (l *ledger) note(name string, token candor.Token, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch reason := candor.ReasonOf(err); reason {
	case "":
		l.acked[name] = token
	case candor.ReasonRootTokenNotReached:
		// Accepted, at a token that this caller was not given.
	case candor.ReasonOutcomeUnknown:
		l.unknown++
	default:
		l.refused[name] = reason
	}
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

// writers keep proposing on every server until stopped, each name once.
func (c *cluster) writers(n int, l *ledger) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for w := range n {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				name := fmt.Sprintf("w%d-%d", w, i)
				nodes := c.members()
				if r := nodes[(w+i)%len(nodes)].replica(); r != nil {
					result, err := propose(r, name, time.Second)
					if err == nil {
						err = result.Err()
					}
					l.note(name, result.Token, err)
				}
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	return func() {
		cancel()
		wg.Wait()
	}
}

// check compares what writers were told with what every server has.
func (c *cluster) check(l *ledger) {
	c.t.Helper()
	last := c.mustPropose(c.leader(), "end")
	c.converged("end")
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range c.nodes {
		if n.replica() == nil {
			continue
		}
		if err := n.died(); err != nil {
			c.t.Errorf("%s died: %v", n.id, err)
		}
		view := n.replica().machine.View()
		for name, token := range l.acked {
			v, err := view.Get(candor.Ref{Kind: candor.KindNamespaces, Name: name}, 0)
			if err != nil || v == nil {
				c.t.Errorf("%s: acknowledged %s at %s is missing", n.id, name, token)
			} else if v.Revision != token.Revision {
				c.t.Errorf("%s: %s is at revision %d, acknowledged at %s", n.id, name, v.Revision, token)
			}
		}
		for name, reason := range l.refused {
			if v, _ := view.Get(candor.Ref{Kind: candor.KindNamespaces, Name: name}, 0); v != nil {
				c.t.Errorf("%s: %s was refused as %s and appeared", n.id, name, reason)
			}
		}
	}
	c.t.Logf("%d acknowledged, %d refused, %d unknown, root at %s", len(l.acked), len(l.refused), l.unknown, last)
}

func TestAGracefulStopHandsLeadershipOverAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		l := newLedger()
		c.leader()
		stop := c.writers(5, l)
		for range 3 {
			time.Sleep(300 * time.Millisecond)
			leader := c.leader()
			began := time.Now()
			done := make(chan struct{})
			go func() {
				defer close(done)
				c.stop(leader, true)
			}()
			next := c.leader(leader)
			if gap := time.Since(began); gap > 100*time.Millisecond {
				t.Errorf("%s led %s after the stop began", next.id, gap)
			}
			<-done
			c.start(leader)
			c.until("a member again", 5*time.Second, func() bool { return leader.replica().applied.index.Load() > 0 })
		}
		stop()
		c.check(l)
	})
}

func TestAKilledLeaderIsReplacedAndNothingAcknowledgedIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		l := newLedger()
		c.leader()
		stop := c.writers(5, l)
		for range 5 {
			time.Sleep(400 * time.Millisecond)
			leader := c.leader()
			before := l.count()
			c.net.isolate(leader.address)
			began := time.Now()
			c.stop(leader, false)
			c.leader(leader)
			if gap := time.Since(began); gap > 2*time.Second {
				t.Errorf("a new leader took %s", gap)
			}
			c.until("writes again", 5*time.Second, func() bool { return l.count() > before })
			c.net.heal()
			c.start(leader)
		}
		stop()
		c.check(l)
	})
}

func TestAnIsolatedLeaderAnswersUnknownAndLosesToTheMajority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		old := c.leader()
		c.mustPropose(old, "before")
		c.net.isolate(old.address)
		_, err := propose(old.replica(), "lost", 5*time.Second)
		wantReason(t, err, candor.ReasonOutcomeUnknown)
		next := c.leader(old)
		c.mustPropose(next, "after")
		_, err = propose(old.replica(), "refused", time.Second)
		wantReason(t, err, candor.ReasonNotLeader)
		c.net.heal()
		c.converged("after")
		if has(old, "lost") || has(old, "refused") {
			t.Error("a write of the minority survived")
		}
	})
}

func TestALeadershipIsATermNotABool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		seen := map[uint64]string{}
		for range 6 {
			leader := c.leader()
			lead := leader.replica().leading.Load()
			if lead == nil || lead.term != leader.replica().raft.CurrentTerm() || leader.replica().machine.View().LeaderTerm() != lead.term {
				t.Fatalf("leads by %+v in raft's term %d", lead, leader.replica().raft.CurrentTerm())
			}
			if other, ok := seen[lead.term]; ok && other != leader.id {
				t.Fatalf("%s and %s both led in term %d", other, leader.id, lead.term)
			}
			seen[lead.term] = leader.id
			if err := leader.replica().TransferLeader(t.Context(), ""); err != nil {
				t.Fatal(err)
			}
		}
		if len(seen) < 2 {
			t.Errorf("terms seen: %v", seen)
		}
	})
}

func TestClusterTimeNeverGoesBackAcrossLeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader := c.leader()
		first := leader.replica().machine.View().ClusterTime()
		last := first
		for i := range 5 {
			leader = c.leader()
			time.Sleep(time.Second)
			c.mustPropose(leader, fmt.Sprint("n", i))
			now := leader.replica().machine.View().ClusterTime()
			if now < last || now-last > int64(3*time.Second) {
				t.Errorf("cluster time went from %d to %d in a second", last, now)
			}
			last = now
			if err := leader.replica().TransferLeader(t.Context(), ""); err != nil {
				t.Fatal(err)
			}
		}
		if made := time.Duration(last - first); made < 4*time.Second || made > 10*time.Second {
			t.Errorf("five leaders of a second each made %s", made)
		}
	})
}

func TestARestartedClusterHasWhatItHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		for i := range 20 {
			c.mustPropose(c.leader(), fmt.Sprint("n", i))
		}
		for _, n := range c.nodes {
			c.stop(n, false)
		}
		for _, n := range c.nodes {
			if got := c.start(n).Configuration(); len(got.Servers) != 3 || got.Index != 1 {
				t.Errorf("configuration after the restart: %+v", got)
			}
		}
		c.mustPropose(c.leader(), "after")
		c.converged("after")
		for i := range 20 {
			if !has(c.nodes[i%3], fmt.Sprint("n", i)) {
				t.Errorf("n%d is missing", i)
			}
		}
	})
}

// An entry that the state machine refuses is every server's to stop at.
func TestADamagedEntryStopsTheServerAndIsNeverAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader := c.leader()
		c.mustPropose(leader, "before")
		release := leader.disk.stop()
		future := leader.replica().raft.Apply([]byte("no entry of ours"), 0)
		behind := make(chan error, 1)
		go func() {
			_, err := propose(leader.replica(), "behind", 10*time.Second)
			behind <- err
		}()
		synctest.Wait()
		release()
		if err := future.Error(); err != nil || future.Response() != nil {
			t.Fatalf("answered %v %v", future.Response(), err)
		}
		wantReason(t, <-behind, candor.ReasonOutcomeUnknown)
		c.until("every server stopped", 5*time.Second, func() bool {
			for _, n := range c.nodes {
				if candor.ReasonOf(n.died()) != candor.ReasonDataCorrupt {
					return false
				}
			}
			return true
		})
		_, err := propose(leader.replica(), "after", time.Second)
		wantReason(t, err, candor.ReasonUnavailable)
		if err := leader.replica().Snapshot(t.Context()); err == nil {
			t.Error("a server that could not apply an entry took a snapshot past it")
		}
		if !errors.Is(leader.replica().Status().Failure, &candor.Error{Reason: candor.ReasonDataCorrupt}) {
			t.Errorf("status: %v", leader.replica().Status().Failure)
		}
	})
}
