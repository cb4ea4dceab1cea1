package replica

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestALeaderSendsAsOftenAsItsLeaseNeeds: two and a half to five times in it, whoever
// leads, and whatever followers wait for.
func TestALeaderSendsAsOftenAsItsLeaseNeeds(t *testing.T) {
	for name, tune := range map[string]func(*Settings){
		"as delivered":           func(*Settings) {},
		"followers wait longer":  func(s *Settings) { s.Heartbeat, s.Election = time.Second, time.Second },
		"half of what they wait": func(s *Settings) { s.LeaderLease = s.Heartbeat / 2 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, 3, tune)
				for range 2 {
					leader := c.leader()
					time.Sleep(time.Second)
					c.net.beaten()
					leases := 40
					time.Sleep(time.Duration(leases) * c.settings.LeaderLease)
					for to, n := range c.net.beaten() {
						if c.net.node(to).replica() != nil && (n < leases*5/2 || n > leases*5) {
							t.Errorf("%s got %d heartbeats in %d leases of its leader", to, n, leases)
						}
					}
					if c.leader() != leader {
						t.Error("a leader that hears everybody lost its place")
					}
					c.stop(leader, false)
				}
			})
		})
	}
}

// TestAFollowerWaitsNoLongerForALeaderThatLedItself: who leads has another pace, and gives
// it back.
func TestAFollowerWaitsNoLongerForALeaderThatLedItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		first := c.leader()
		if err := first.replica().TransferLeader(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		second := c.leader()
		time.Sleep(time.Second)
		config := first.replica().raft.ReloadableConfig()
		if first == second || config.HeartbeatTimeout != c.settings.Heartbeat || config.ElectionTimeout != c.settings.Election {
			t.Errorf("%s follows %s and waits %s for it, %s for votes", first.id, second.id, config.HeartbeatTimeout, config.ElectionTimeout)
		}
	})
}
