package replica

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// However long a follower was away, it has what it missed soon after it is back:
// raft by itself would try again after up to 10 s.
func TestAFollowerThatWasAwayForLongCatchesUpAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader, away := c.leader(), c.follower()
		c.mustPropose(leader, "before")
		c.net.isolate(away.address)
		var last uint64
		for i := range 30 {
			last = c.mustPropose(leader, fmt.Sprint("n", i)).Index
			time.Sleep(time.Second)
		}
		c.net.heal()
		began := time.Now()
		c.until("the follower has caught up", 20*time.Second, func() bool {
			return away.replica().machine.View().Token().Index >= last
		})
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("the follower had what it missed after %s", took)
		}
	})
}
