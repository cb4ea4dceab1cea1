package servertest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server/servertest"
)

// TestAnIsolatedLeaderRefusesStrongReadsAndLabelsBestEffort: the rest elects
// and accepts a write meanwhile, which the isolated one cannot know.
func TestAnIsolatedLeaderRefusesStrongReadsAndLabelsBestEffort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		mustCreate(t, c.Client(t), "known")
		old := c.Leader().Name()
		c.Isolate(old)
		k := c.Client(t, old)
		for range 5 {
			ctx, cancel := within(time.Second)
			_, w, err := k.Get(ctx, refOf("known"), client.OnEndpoint(old))
			cancel()
			if err == nil {
				t.Fatalf("an isolated leader served a strong read: %+v", w)
			}
			wantReason(t, err, candor.ReasonLeadershipUnconfirmed, candor.ReasonNotLeader, candor.ReasonTimedOut)
		}
		next := c.Leader(old).Name()
		mustCreate(t, c.Client(t, next), "unknown")
		_, w, err := k.Get(t.Context(), refOf("known"), client.OnEndpoint(old), client.WithFreshness(candor.FreshnessBestEffort))
		if err != nil || w.Class != candor.ServingDegraded || w.RootLag != nil || w.StalenessBound != nil {
			t.Errorf("best effort: %v, witness %+v", err, w)
		}
		_, _, err = k.Get(t.Context(), refOf("unknown"), client.OnEndpoint(old), client.WithFreshness(candor.FreshnessBestEffort))
		wantReason(t, err, candor.ReasonNotFound)
		c.Heal()
		c.Until("the old leader catches up", func() bool {
			_, _, err := k.Get(t.Context(), refOf("unknown"), client.OnEndpoint(old), client.WithFreshness(candor.FreshnessBestEffort))
			return err == nil
		})
	})
}
