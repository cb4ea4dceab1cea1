package servertest_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server/servertest"
	"github.com/candor-plane/candor/verify/history"
)

// TestNoReadIsEverWrongWhateverHappens: clients that hop between the nodes at
// every class, through partitions, pauses and changes of leaders; what they were
// answered is linearizable where it is STRONG, within its bound where it is
// BOUNDED, true in every claim, and in order for every session.
func TestNoReadIsEverWrongWhateverHappens(t *testing.T) {
	for _, seed := range []uint64{1, 2, 3} {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := servertest.Start(t, servertest.WithSettings(longLease))
				r := record(t, c, 6, seed)
				bit := faults(t, c, 14, rand.New(rand.NewPCG(seed, 11)))
				before := r.recorder.Len()
				c.Until("reads and writes go on", func() bool { return r.recorder.Len() > before+50 })
				s := history.Check(r.end(t), append(history.Standard(100), history.Load{
					Operations: 2000, Acknowledged: 300, Nodes: 3,
					Reads:   map[candor.Freshness]int{candor.FreshnessStrong: 300, candor.FreshnessBounded: 300, candor.FreshnessBestEffort: 100},
					Refused: map[candor.Reason]int{candor.ReasonNotLeader: 50, candor.ReasonStalenessExceeded: 1},
				})...)
				t.Logf("%v\n%s%+v", bit, s, s.Census)
				if s.Verdict() != history.Pass {
					t.Errorf("%s", s)
				}
				wantEqualNow(t, c)
			})
		})
	}
}
