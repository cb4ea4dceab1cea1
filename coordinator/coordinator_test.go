package coordinator_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator"
	"github.com/candor-plane/candor/fsm/tenure"
)

const janitor, tso, ids = tenure.DutyJanitor, tenure.DutyTSO, tenure.DutyIDs

// three nodes that may hold the duties made for each.
func three(t *testing.T, duties func(name string) []coordinator.Duty) *world {
	w := newWorld(t, "a", "b", "c")
	for _, name := range []string{"a", "b", "c"} {
		w.nodes[name].start(t, duties(name)...)
	}
	return w
}

func idle(string) []coordinator.Duty {
	return []coordinator.Duty{&work{name: janitor}, &work{name: tso}}
}

// TestTheLeaderHoldsWhatNobodyHolds at once, and goes on holding it, alone.
func TestTheLeaderHoldsWhatNobodyHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := three(t, idle)
		time.Sleep(10 * time.Second)
		if l := w.lineage(janitor); l.Current.Number != 0 {
			t.Fatalf("without a leader: %+v", l.Current)
		}
		w.elect("b")
		began := time.Now()
		w.held(janitor, "b")
		w.held(tso, "b")
		if took := time.Since(began); took > 10*time.Millisecond {
			t.Errorf("it took %s", took)
		}
		time.Sleep(time.Minute)
		for _, duty := range []string{janitor, tso} {
			if c := w.lineage(duty).Current; c.Number != 1 || c.Holder != "server/b" || w.nodes["a"].acts(duty) || w.nodes["c"].acts(duty) {
				t.Errorf("%s after a minute: %+v", duty, c)
			}
		}
	})
}

// TestWhatANodeHoldsIsRenewedTogether, whenever each was taken: one entry of the log has
// it.
func TestWhatANodeHoldsIsRenewedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := three(t, idle)
		w.elect("b")
		w.held(janitor, "b")
		for _, step := range [][2]string{{"b", "a"}, {"a", "b"}} {
			time.Sleep(300 * time.Millisecond)
			if err := w.nodes[step[0]].coordinator.Transfer(t.Context(), tso, "server/"+step[1]); err != nil {
				t.Fatal(err)
			}
			w.held(tso, step[1])
		}
		time.Sleep(2 * time.Second)
		w.mu.Lock()
		clear(w.renewed)
		w.mu.Unlock()
		time.Sleep(10 * time.Second)
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.renewed) < 9 || len(w.renewed) > 11 {
			t.Errorf("two duties were renewed at %d moments of ten seconds, where a renewal is due each second", len(w.renewed))
		}
		for at, n := range w.renewed {
			if n != 2 {
				t.Errorf("after %s %d of two duties were renewed", at, n)
			}
		}
	})
}

// TestANewLeaderTakesOverFromADeadOne: what the fence guards at once, what leans on
// belief once nobody can believe any more. Every handover ends.
func TestANewLeaderTakesOverFromADeadOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var believes atomic.Pointer[coordinator.Grant]
		w := three(t, func(name string) []coordinator.Duty {
			return []coordinator.Duty{&work{name: janitor}, &work{name: tso, run: func(ctx context.Context, g *coordinator.Grant) error {
				if before := believes.Swap(g); before != nil && before.Holds() {
					t.Error("the holder before still believes")
				}
				<-ctx.Done()
				return nil
			}}}
		})
		w.elect("a")
		w.held(janitor, "a")
		w.held(tso, "a")
		time.Sleep(1700 * time.Millisecond)
		w.nodes["a"].cutOff(true)
		time.Sleep(500 * time.Millisecond)
		w.elect("b")
		began := time.Now()
		w.until("b holds "+janitor, func() bool { return w.nodes["b"].acts(janitor) })
		if took := time.Since(began); took > 20*time.Millisecond {
			t.Errorf("%s was taken after %s", janitor, took)
		}
		w.until("b holds "+tso, func() bool { return w.nodes["b"].acts(tso) })
		if took := time.Since(began); took < time.Second || took > coordinator.Defaults().Duration+100*time.Millisecond {
			t.Errorf("%s was taken after %s", tso, took)
		}
		time.Sleep(time.Second)
		for _, duty := range []string{janitor, tso} {
			if l := w.lineage(duty); l.Current.Holder != "server/b" || len(l.Unfinished) != 0 || l.Finished.Sealing != tenure.SealingBound {
				t.Errorf("%s: %+v", duty, l)
			}
		}
		w.nodes["a"].cutOff(false)
		w.until("a knows that it is over", func() bool { return !w.nodes["a"].acts(janitor) && !w.nodes["a"].acts(tso) })
	})
}

// TestDutiesGoWithLeadershipUnlessTheyWereGivenAway: a holder that is given a duty
// by an operator keeps it.
func TestDutiesGoWithLeadershipUnlessTheyWereGivenAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := three(t, idle)
		w.elect("a")
		w.held(janitor, "a")
		w.held(tso, "a")
		if err := w.nodes["b"].coordinator.Transfer(t.Context(), janitor, "server/c"); candor.ReasonOf(err) != candor.ReasonNotHosted {
			t.Errorf("b gives away what it does not hold: %v", err)
		}
		began := time.Now()
		if err := w.nodes["a"].coordinator.Transfer(t.Context(), janitor, "server/c"); err != nil {
			t.Fatal(err)
		}
		w.held(janitor, "c")
		if took := time.Since(began); took > 20*time.Millisecond {
			t.Errorf("it took %s", took)
		}
		w.elect("b")
		began = time.Now()
		w.held(tso, "b")
		if took := time.Since(began); took > 20*time.Millisecond {
			t.Errorf("%s followed after %s", tso, took)
		}
		time.Sleep(20 * time.Second)
		l := w.lineage(janitor)
		if l.Current.Holder != "server/c" || l.Current.Number != 2 || len(l.Unfinished) != 0 {
			t.Errorf("it was c's: %+v", l)
		}
		if l := w.lineage(tso); l.Finished.Sealing != tenure.SealingExact || l.Current.Number != 2 {
			t.Errorf("%+v", l)
		}
	})
}

// TestADutyGoesToWhomItIsHanded although that one has just given it away.
func TestADutyGoesToWhomItIsHanded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := three(t, idle)
		w.elect("a")
		w.held(tso, "a")
		for _, step := range [][2]string{{"a", "b"}, {"b", "a"}, {"a", "c"}, {"c", "a"}} {
			began := time.Now()
			if err := w.nodes[step[0]].coordinator.Transfer(t.Context(), tso, "server/"+step[1]); err != nil {
				t.Fatal(err)
			}
			if w.held(tso, step[1]); time.Since(began) > 20*time.Millisecond {
				t.Errorf("from %s to %s it took %s", step[0], step[1], time.Since(began))
			}
		}
	})
}

// TestADutyThatOneGaveAwayIsItsAgainWhenTheOtherStops, at once: the other had taken it.
func TestADutyThatOneGaveAwayIsItsAgainWhenTheOtherStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := three(t, idle)
		w.elect("a")
		w.held(tso, "a")
		if err := w.nodes["a"].coordinator.Transfer(t.Context(), tso, "server/b"); err != nil {
			t.Fatal(err)
		}
		w.held(tso, "b")
		began := time.Now()
		w.nodes["b"].stop()
		if w.held(tso, "a"); time.Since(began) > 20*time.Millisecond {
			t.Errorf("it took %s", time.Since(began))
		}
	})
}

// TestADutyThatFailsTouchesNoOther, is tried again, and is another's in the end.
func TestADutyThatFailsTouchesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries atomic.Int32
		w := three(t, func(name string) []coordinator.Duty {
			return []coordinator.Duty{&work{name: janitor}, &work{name: ids, run: func(ctx context.Context, g *coordinator.Grant) error {
				if name == "a" {
					tries.Add(1)
					if err := g.Reserve(ctx, tenure.Frontiers{ID: g.Start.ID + 10}); err != nil {
						t.Errorf("reserve: %v", err)
					}
					panic("a bug")
				}
				<-ctx.Done()
				return nil
			}}}
		})
		w.elect("a")
		w.held(janitor, "a")
		w.until("another holds it", func() bool { return w.nodes["b"].acts(ids) || w.nodes["c"].acts(ids) })
		if tries.Load() != 5 {
			t.Errorf("tried %d times", tries.Load())
		}
		l := w.lineage(ids)
		if l.Current.Start.ID != 10 {
			t.Errorf("the successor starts at %s; what failed may have used 10", l.Current.Start)
		}
		if c := w.lineage(janitor).Current; c.Number != 1 || !w.nodes["a"].acts(janitor) {
			t.Errorf("%s: %+v", janitor, c)
		}
	})
}

// TestAStopHandsOverAtOnce with exactly what was used.
func TestAStopHandsOverAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := three(t, func(string) []coordinator.Duty {
			return []coordinator.Duty{&work{name: ids, run: func(ctx context.Context, g *coordinator.Grant) error {
				if err := g.Reserve(ctx, tenure.Frontiers{ID: g.Start.ID + 1000}); err != nil && ctx.Err() == nil {
					return err
				}
				<-ctx.Done()
				g.Used(tenure.Frontiers{ID: g.Start.ID + 7})
				return nil
			}}}
		})
		w.elect("a")
		w.held(ids, "a")
		time.Sleep(time.Second)
		w.nodes["a"].stop()
		if c := w.lineage(ids).Current; c.State != tenure.StateSealed || c.Usage.ID != 7 {
			t.Errorf("sealed: %+v", c)
		}
		w.elect("c")
		began := time.Now()
		if w.held(ids, "c"); time.Since(began) > 20*time.Millisecond {
			t.Errorf("taken after %s", time.Since(began))
		}
		if c := w.lineage(ids).Current; c.Start.ID != 7 {
			t.Errorf("started at %+v", c.Start)
		}
	})
}

// TestADutyThatNoLeaderWantsIsAnothers after a while.
func TestADutyThatNoLeaderWantsIsAnothers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "b")
		w.nodes["a"].start(t, &work{name: janitor})
		w.nodes["b"].start(t, &work{name: janitor}, &work{name: ids})
		w.elect("a")
		w.held(janitor, "a")
		w.held(ids, "b")
		time.Sleep(10 * time.Second)
		if c := w.lineage(ids).Current; c.Number != 1 || c.Holder != "server/b" {
			t.Errorf("%+v", c)
		}
	})
}

// TestSettingsThatCannotBeAreRefused with what is wanted.
func TestSettingsThatCannotBeAreRefused(t *testing.T) {
	for name, edit := range map[string]func(*coordinator.Settings){
		"too short": func(s *coordinator.Settings) { s.Duration = time.Millisecond },
		"late":      func(s *coordinator.Settings) { s.Renew = s.Duration },
		"drifting":  func(s *coordinator.Settings) { s.Drift = 1_000_000 },
		"hasty":     func(s *coordinator.Settings) { s.Propose = 0 },
	} {
		s := coordinator.Defaults()
		edit(&s)
		n := &node{w: newWorld(t)}
		if _, err := coordinator.New(coordinator.Config{Root: n, Node: n, Settings: s, Logger: hclog.NewNullLogger()}); candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	n := &node{w: newWorld(t)}
	for _, duties := range [][]coordinator.Duty{{&work{name: "sweeping"}}, {&work{name: ids}, &work{name: ids}}} {
		if _, err := coordinator.New(coordinator.Config{Root: n, Node: n, Duties: duties, Settings: coordinator.Defaults(), Logger: hclog.NewNullLogger()}); candor.ReasonOf(err) != candor.ReasonInvalid {
			t.Errorf("%v: %v", duties, err)
		}
	}
}
