package replica

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestSmoke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		l := c.leader()
		start := time.Now()
		fmt.Println(l.id, c.mustPropose(l, "one"), time.Since(start))
		c.converged("one")
		fmt.Println(c.mustPropose(c.follower(), "two"))
		c.converged("two")
	})
}
