package servertest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

// A link that is cut one way only is the harder half of a partition: whoever is
// not heard still hears, or the other way round.

// TestALeaderThatHearsNobodyGivesUp: its messages arrive, no answer does. The
// others must not wait for it.
func TestALeaderThatHearsNobodyGivesUp(t *testing.T) {
	halfCut(t, func(c *servertest.Cluster, leader *server.Server) {
		for _, other := range c.Servers() {
			c.Cut(other.Name(), leader.Name())
		}
	})
}

// TestALeaderThatNobodyHearsIsReplaced: it hears the others elect another.
func TestALeaderThatNobodyHearsIsReplaced(t *testing.T) {
	halfCut(t, func(c *servertest.Cluster, leader *server.Server) {
		for _, other := range c.Servers() {
			c.Cut(leader.Name(), other.Name())
		}
	})
}

// TestAMajorityThatLosesItsLeaderOneWayElectsAnother: the leader is heard by one
// follower of four, which must not keep it in office.
func TestAMajorityThatLosesItsLeaderOneWayElectsAnother(t *testing.T) {
	halfCut(t, func(c *servertest.Cluster, leader *server.Server) {
		spared := c.Follower()
		for _, other := range c.Servers() {
			if other != spared {
				c.Cut(leader.Name(), other.Name())
			}
		}
	})
}

func halfCut(t *testing.T, cut func(c *servertest.Cluster, leader *server.Server)) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithServers(5))
		w := startWriters(t, c, 4, 5*time.Millisecond, 5*time.Second)
		c.Until("writes go on", func() bool { return w.count() > 20 })
		old := c.Leader()
		cut(c, old)
		began := time.Now()
		next := c.Leader(old.Name())
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the next leader took %s", took)
		}
		c.Until("the old leader gave up", func() bool { return !old.Replica().Leading() })
		before := w.count()
		c.Until("writes go on under the next leader", func() bool { return w.count() > before+20 })
		if c.Leader(old.Name()).Replica().Status().Term < next.Replica().Status().Term {
			t.Error("the term went back")
		}
		c.Heal()
		w.end()
		w.wantAllKept(t, c)
	})
}

// TestAFollowerThatHearsNoLeaderDisturbsNobody: it would be a candidate, and the
// others, who hear the leader, do not let it raise the term.
func TestAFollowerThatHearsNoLeaderDisturbsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		w := startWriters(t, c, 2, 20*time.Millisecond, 5*time.Second)
		leader, deaf := c.Leader(), c.Follower()
		term := leader.Replica().Status().Term
		c.Cut(leader.Name(), deaf.Name())
		c.Until("the follower misses its leader", func() bool { return deaf.Replica().Status().Leader == nil })
		time.Sleep(5 * time.Second)
		if now := c.Leader(); now != leader || now.Replica().Status().Term != term {
			t.Errorf("%s leads in term %d; %s led in %d", now.Name(), now.Replica().Status().Term, leader.Name(), term)
		}
		c.Heal()
		before := w.count()
		c.Until("writes go on", func() bool { return w.count() > before+20 })
		if now := c.Leader(); now != leader || now.Replica().Status().Term != term {
			t.Errorf("after healing %s leads in term %d", now.Name(), now.Replica().Status().Term)
		}
		w.end()
		if len(w.refused)+len(w.unknown) > 0 {
			t.Errorf("refused %v, unknown %v", w.refused, w.unknown)
		}
		w.wantAllKept(t, c)
	})
}
