package replica

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
)

func answers(gone bool) func(context.Context, raft.Server) bool {
	return func(context.Context, raft.Server) bool { return gone }
}

func TestALeaderWhoseProcessIsGoneIsReplacedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		for _, round := range []string{"a", "b", "c"} {
			old := c.leader()
			token := c.mustPropose(old, "before-"+round)
			c.converged("before-" + round)
			c.net.isolate(old.address)
			died := time.Now()
			for _, n := range c.nodes {
				if n != old {
					n.replica().Suspect(old.id, answers(true))
				}
			}
			next := c.leader(old)
			if took := time.Since(died); took > 200*time.Millisecond {
				t.Errorf("a new leader after %s; an election waits for %s", took, next.replica().settings.Heartbeat)
			}
			if next.replica().raft.CurrentTerm() != token.Term+1 {
				t.Errorf("it took %d terms", next.replica().raft.CurrentTerm()-token.Term)
			}
			c.net.heal()
			c.mustPropose(next, "after-"+round)
			c.converged("after-" + round)
			c.sameDigests()
		}
	})
}

// A connection that broke, a follower that is gone, or a leader long replaced
// are no reason for an election.
func TestNoElectionWithoutAReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader := c.leader()
		c.mustPropose(leader, "before")
		c.converged("before")
		term := leader.replica().raft.CurrentTerm()
		for _, n := range c.nodes {
			n.replica().Suspect(leader.id, answers(false))
			n.replica().Suspect("somebody", answers(true))
			for _, other := range c.nodes {
				if other != leader {
					n.replica().Suspect(other.id, answers(true))
				}
			}
		}
		time.Sleep(2 * time.Second)
		if now := c.leader(); now != leader || now.replica().raft.CurrentTerm() != term {
			t.Errorf("%s leads in term %d, it was %s in term %d", now.id, now.replica().raft.CurrentTerm(), leader.id, term)
		}
	})
}
