package servertest_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/server/servertest"
)

// quantile is the bound that a share of reads keeps.
func quantile(bounds []time.Duration, share float64) time.Duration {
	slices.Sort(bounds)
	return bounds[int(float64(len(bounds)-1)*share)]
}

// TestAHealthyFollowerServesBoundedReadsWithASmallTrueBound, whether anything is
// written or not: 99 of 100 claim 150 ms at most, and each claim is true.
func TestAHealthyFollowerServesBoundedReadsWithASmallTrueBound(t *testing.T) {
	for _, busy := range []bool{false, true} {
		name := map[bool]string{false: "idle", true: "busy"}[busy]
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := servertest.Start(t)
				var known ledger
				known.acknowledged(mustCreate(t, c.Client(t), "one").Token)
				if busy {
					stop := keepWriting(t, c, &known, 4, 3*time.Millisecond)
					defer stop()
				}
				leader := c.Leader()
				time.Sleep(time.Second)
				var bounds []time.Duration
				for _, r := range readersOf(t, c) {
					for range 400 {
						asked := time.Now()
						w := r.served(t, bounded(time.Second))
						known.honest(t, w, asked)
						if w.Class != candor.ServingBoundedStale || w.Mechanism != candor.MechanismProvenView || w.Mode != candor.ModeHealthy || w.CatchUp != candor.CatchUpFresh {
							t.Fatalf("%s: %+v", r.server.Name(), w)
						}
						if r.server != leader {
							bounds = append(bounds, *w.StalenessBound)
						}
						time.Sleep(7 * time.Millisecond)
					}
				}
				if p99 := quantile(bounds, 0.99); p99 > 150*time.Millisecond {
					t.Errorf("99 of 100 followers' bounds are within %s", p99)
				}
			})
		})
	}
}

// TestAFollowerThatIsCutOffRefusesBoundedReadsOnceTheirBoundLapses, and not a
// moment before: it has a proof of a known age, and each bound is served until
// the proof is older, by what is left of the window with its name.
func TestAFollowerThatIsCutOffRefusesBoundedReadsOnceTheirBoundLapses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		var known ledger
		known.acknowledged(mustCreate(t, c.Client(t), "one").Token)
		cut := c.Follower()
		r := readerOf(t, c, cut)
		time.Sleep(time.Second)
		c.Isolate(cut.Name())
		since := time.Now()
		proven := time.Now().Add(-*r.served(t, weak()).StalenessBound)
		others := c.Client(t, names(without(c, cut))...)
		known.acknowledged(mustCreate(t, others, "two").Token)
		for time.Since(since) < 5*time.Second {
			for _, bound := range []time.Duration{300 * time.Millisecond, time.Second, 2 * time.Second, 3*time.Second + 500*time.Millisecond} {
				asked := time.Now()
				age := asked.Sub(proven)
				w, err := r.get(t, bounded(bound), 5*time.Second)
				// A refusal takes the time that it takes to find out that nobody answers.
				now := time.Since(proven)
				notProvenAfter(t, w, since)
				known.honest(t, w, asked)
				switch {
				case age <= bound && (err != nil || *w.StalenessBound > bound):
					t.Errorf("at %s, within the bound %s: %+v, %v", age, bound, w, err)
				case age <= bound:
				case err == nil:
					t.Errorf("at %s, past the bound %s: served %+v", age, bound, w)
				case now <= 3*time.Second:
					wantReason(t, err, candor.ReasonStalenessExceeded)
				default:
					wantReason(t, err, candor.ReasonRootUnavailable)
				}
			}
			time.Sleep(37 * time.Millisecond)
		}
		known.acknowledged(mustCreate(t, others, "three").Token)
		c.Heal()
		c.Until("it serves again", func() bool {
			asked := time.Now()
			w, err := r.get(t, bounded(time.Second), 5*time.Second)
			if err == nil {
				known.honest(t, w, asked)
			}
			return err == nil
		})
	})
}

// TestAFollowersLagIsBoundedByEntries: it hears how far the root is and gets none
// of it. Its lag is what it misses, and bounds it; its age grows meanwhile.
func TestAFollowersLagIsBoundedByEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithDuties())
		var known ledger
		leader, behind := c.Leader(), c.Follower()
		k := c.Client(t, leader.Name())
		known.acknowledged(mustCreate(t, k, "one").Token)
		r := readerOf(t, c, behind)
		time.Sleep(time.Second)
		c.Starve(behind.Name())
		since := time.Now()
		for _, name := range []string{"two", "three", "four", "five"} {
			known.acknowledged(mustCreate(t, k, name).Token)
			time.Sleep(300 * time.Millisecond)
			asked := time.Now()
			missing := leader.Machine().View().Token().Index - behind.Machine().View().Token().Index
			if missing == 0 {
				t.Fatal("the follower misses nothing")
			}
			for _, read := range []*candorv1.ReadOptions{lagging(missing), weak()} {
				w := r.served(t, read)
				known.honest(t, w, asked)
				if w.RootLag == nil || *w.RootLag != missing || w.SyncHealth != "BEHIND" || *w.StalenessBound < time.Since(since)-300*time.Millisecond {
					t.Errorf("misses %d: %+v", missing, w)
				}
			}
			known.honest(t, r.refused(t, lagging(missing-1), candor.ReasonRootLagExceeded), asked)
		}
		c.Heal()
		c.Until("nothing is missing", func() bool {
			w, err := r.get(t, lagging(0), time.Second)
			return err == nil && *w.RootLag == 0
		})
		wantEqualStates(t, c)
	})
}

// TestAFollowerWaitsForARequiredTokenUntilTheDeadlineAndNoLonger.
func TestAFollowerWaitsForARequiredTokenUntilTheDeadlineAndNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		behind := c.Follower()
		k := c.Client(t, c.Leader().Name())
		r := readerOf(t, c, behind)
		time.Sleep(time.Second)
		c.Starve(behind.Name())
		wanted := mustCreate(t, k, "wanted").Token
		for _, read := range []func() *candorv1.ReadOptions{anywhere, weak, func() *candorv1.ReadOptions { return bounded(time.Hour) }} {
			const patience = 700 * time.Millisecond
			grown := counted(behind, func() {
				began := time.Now()
				w, err := r.get(t, requiring(read(), wanted), patience)
				if took := time.Since(began); err == nil || took < patience-100*time.Millisecond || took > patience+10*time.Millisecond {
					t.Errorf("%v: waited %s of %s for %s, and then %+v, %v", read(), took, patience, wanted, w, err)
				}
				synctest.Wait()
			})
			if grown["READ ROOT_TOKEN_NOT_REACHED"] != 1 {
				t.Errorf("%v: judged %v", read(), grown)
			}
		}
		// As soon as it is there, who waits for it is served.
		healed := make(chan time.Time, 1)
		time.AfterFunc(500*time.Millisecond, func() {
			c.Heal()
			healed <- time.Now()
		})
		w := r.served(t, requiring(weak(), wanted))
		if took := time.Since(<-healed); !w.ServedToken.Covers(wanted) || took > time.Second {
			t.Errorf("%s after the entries could come: %+v", took, w)
		}
		wantEqualStates(t, c)
	})
}
