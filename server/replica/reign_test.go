package replica

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
)

// A leader that hangs costs a forwarded write the time of an election, not its
// whole deadline; and nobody claims to know what became of it.
func TestAForwardedWriteIsGivenUpWhenAnotherServerLeads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		old := c.leader()
		via := c.follower()
		c.mustPropose(via, "before")
		c.net.isolate(old.address)
		began := time.Now()
		_, err := propose(via.replica(), "during", 30*time.Second)
		wantReason(t, err, candor.ReasonOutcomeUnknown, candor.ReasonNotLeader)
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("the write was given up after %s", took)
		}
		c.mustPropose(c.leader(old), "after")
	})
}

// A write that the leader answers is not disturbed by what is heard meanwhile.
func TestAForwardedWriteThatIsAnsweredStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		via := c.follower()
		for _, name := range []string{"a", "b", "c"} {
			c.mustPropose(via, name)
		}
	})
}
