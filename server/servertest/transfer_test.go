package servertest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor/server/servertest"
)

// TestHandingLeadershipOverUnderLoadLosesNothing: whoever writes notices no more
// than a pause.
func TestHandingLeadershipOverUnderLoadLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		w := startWriters(t, c, 6, time.Millisecond, 5*time.Second)
		led := map[string]bool{}
		for i := range 9 {
			before := w.count()
			c.Until("writes go on", func() bool { return w.count() > before+20 })
			target := names(c.Servers())[i%3]
			leader := c.Leader().Name()
			if target == leader {
				target = ""
			}
			ctx, cancel := within(20 * time.Second)
			hint, err := k.Cluster().TransferLeader(ctx, target)
			cancel()
			if err != nil {
				t.Fatalf("from %s to %q: %v", leader, target, err)
			}
			c.Until("another server leads", func() bool { return c.Leader().Name() != leader })
			if now := c.Leader().Name(); target != "" && now != target {
				t.Errorf("handed over to %s, and %s leads (%+v)", target, now, hint)
			}
			led[c.Leader().Name()] = true
		}
		w.end()
		for _, err := range w.refused {
			t.Errorf("a write failed: %v", err)
		}
		if len(w.unknown) > 0 {
			t.Errorf("nobody knows of %d writes", len(w.unknown))
		}
		if len(led) != 3 || w.gap > time.Second {
			t.Errorf("%d servers led; the longest pause was %s", len(led), w.gap)
		}
		w.wantAllKept(t, c)
		t.Logf("%d writes, longest pause %s", len(w.acked), w.gap)
	})
}
