package replica

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor/fsm"
)

// TestASurveyWaitsForWhoHasYetToHearOfTheLastWrite: while writes go on every member has,
// and one that keeps up has caught up all the same. It does not wait for one that stays
// behind.
func TestASurveyWaitsForWhoHasYetToHearOfTheLastWrite(t *testing.T) {
	for name, test := range map[string]struct {
		behind int64 // answers
		shown  bool
	}{
		"soon":  {6, true},
		"never": {1 << 40, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, 3)
				leader := c.leader()
				c.mustPropose(leader, "one")
				c.converged("one")
				var answers atomic.Int64
				late := func(a *ConfirmAnswer) {
					if answers.Add(1) <= test.behind {
						a.Newest = fsm.IndexDigest{}
					}
				}
				leader.replica().peers.(*testPeers).lie.Store(&late)
				began := time.Now()
				s, err := leader.replica().Survey(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took > c.settings.Heartbeat+10*time.Millisecond {
					t.Errorf("it took %s", took)
				}
				for _, x := range s.Servers {
					if string(x.ID) != leader.id && (!x.Answers || (x.Applied >= s.Proven) != test.shown) {
						t.Errorf("%+v, where the root is at %d", x, s.Proven)
					}
				}
			})
		})
	}
}
