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
		k := c.Client(t, old)
		c.Until("the leader has a proof", func() bool {
			_, w, err := k.Get(t.Context(), refOf("known"), client.OnEndpoint(old), client.WithFreshness(candor.FreshnessBestEffort))
			return err == nil && w.StalenessBound != nil
		})
		c.Isolate(old)
		cut := time.Now()
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
		weakly := func() candor.Witness {
			t.Helper()
			_, w, err := k.Get(t.Context(), refOf("known"), client.OnEndpoint(old), client.WithFreshness(candor.FreshnessBestEffort))
			if err != nil {
				t.Fatalf("best effort: %v", err)
			}
			notProvenAfter(t, &w, cut)
			return w
		}
		// What was proven before it was cut off stays true, and grows old.
		if w := weakly(); w.Class != candor.ServingBoundedStale || w.Mechanism != candor.MechanismProvenView || w.StalenessBound == nil {
			t.Errorf("best effort while a proof is in the window: %+v", w)
		}
		time.Sleep(time.Until(cut.Add(3*time.Second + 1)))
		if w := weakly(); w.Class != candor.ServingDegraded || w.Mechanism != candor.MechanismView || w.Mode != candor.ModeRootUnavailable || w.DegradedReason != "NO_PROOF" {
			t.Errorf("best effort after the window: %+v", w)
		}
		_, _, err := k.Get(t.Context(), refOf("unknown"), client.OnEndpoint(old), client.WithFreshness(candor.FreshnessBestEffort))
		wantReason(t, err, candor.ReasonNotFound)
		c.Heal()
		c.Until("the old leader catches up", func() bool {
			_, _, err := k.Get(t.Context(), refOf("unknown"), client.OnEndpoint(old), client.WithFreshness(candor.FreshnessBestEffort))
			return err == nil
		})
	})
}
