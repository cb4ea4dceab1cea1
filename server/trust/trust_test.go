package trust_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/server/trust"
)

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (n *node) wants(t testing.TB, what string, want freshness.ModeReason) {
	t.Helper()
	if why, _ := n.ViewOnly(); why != want {
		t.Errorf("%s: view-only for %q, want %q", what, why, want)
	}
}

func TestAgreementVerifies(t *testing.T) {
	n := applied100().start(t)
	changed := n.Changed()
	for _, index := range []uint64{95, 100, 99, 100} {
		n.Heard(right(index))
	}
	if s := n.Status(); s.Verified != 100 || s.Quarantine != nil {
		t.Errorf("status %+v", s)
	}
	n.wants(t, "agreed", "")
	if closed(changed) || n.store.saved > 0 || len(n.told()) > 0 {
		t.Error("agreement changed something")
	}
	// That nothing was compared yet says nothing.
	n.Heard(fsm.IndexDigest{})
	if s := n.Status(); s.Verified != 100 || s.Quarantine != nil {
		t.Errorf("status %+v", s)
	}
}

// TestADifferenceQuarantinesOnceAndDurably, and has the view repaired.
func TestADifferenceQuarantinesOnceAndDurably(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := applied100()
		n.digests.wrong, n.repairer.fail = 95, errors.New("nobody answers")
		n.start(t, automatic)
		n.Heard(right(94))
		n.wants(t, "before the difference", "")
		changed, began := n.Changed(), time.Now()
		n.Heard(right(96))
		n.wants(t, "at the difference", freshness.ReasonQuarantined)
		if !closed(changed) {
			t.Error("nobody was told")
		}
		own, _ := n.digests.DigestAt(96)
		want := trust.Quarantine{Index: 96, Digest: own.Digest, Majority: right(96).Digest, Since: began}
		if kept := n.store.state().Quarantine; kept == nil || *kept != want {
			t.Errorf("on disk is %+v, want %+v", kept, want)
		}
		for _, index := range []uint64{97, 98, 96} {
			n.Heard(right(index))
		}
		if got := n.told(); !slices.Equal(got, []bool{true}) || n.store.saved != 1 {
			t.Errorf("distrusted %v, saved %d times", got, n.store.saved)
		}
		if s := n.Status(); s.Quarantine == nil || *s.Quarantine != want || s.Verified != 94 {
			t.Errorf("status %+v", s)
		}
		synctest.Wait()
		if tries := n.repairer.tries(); len(tries) != 1 {
			t.Errorf("repairs asked for: %v", tries)
		}
	})
}

// TestWhatCannotBeComparedYetIsComparedLater: a node that is always behind the
// majority is compared all the same, at the oldest index that waits.
func TestWhatCannotBeComparedYetIsComparedLater(t *testing.T) {
	n := applied100().start(t)
	for applied := uint64(100); applied < 120; applied++ {
		n.digests.edit(func(d *digests) { d.applied = applied })
		n.Heard(right(applied + 10))
		if s := n.Status(); applied < 110 && s.Verified != 0 || applied >= 110 && s.Verified == 0 {
			t.Fatalf("at %d verified is %d", applied, s.Verified)
		}
	}
	// A difference that waits is found too.
	n = applied100().start(t)
	n.Heard(right(110))
	n.digests.edit(func(d *digests) { d.applied, d.wrong = 111, 105 })
	n.wants(t, "before anything is heard", "")
	n.Heard(right(130))
	n.wants(t, "once 110 can be compared", freshness.ReasonQuarantined)
	if q := n.Status().Quarantine; q == nil || q.Index != 110 {
		t.Errorf("quarantined at %+v", q)
	}
}

// TestWhatIsNotKeptAnyMoreIsDropped, and does not keep later ones waiting.
func TestWhatIsNotKeptAnyMoreIsDropped(t *testing.T) {
	n := applied100()
	n.digests.wrong = 1
	n.start(t)
	n.Heard(right(90))
	n.wants(t, "at an index that is not kept", "")
	n.digests.edit(func(d *digests) { d.wrong = 0 })
	n.Heard(right(110))
	// The view jumps past 110: a snapshot came in.
	n.digests.edit(func(d *digests) { d.first, d.applied = 200, 200 })
	n.Heard(right(200))
	if s := n.Status(); s.Verified != 200 {
		t.Errorf("verified %d, want 200", s.Verified)
	}
	n.Heard(right(210))
	n.digests.edit(func(d *digests) { d.applied = 220 })
	n.Heard(right(220))
	if s := n.Status(); s.Verified != 220 || s.Quarantine != nil {
		t.Errorf("status %+v", s)
	}
}

func TestARepairLiftsTheQuarantine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := applied100()
		n.digests.wrong, n.repairer.takes = 95, 10*time.Second
		n.start(t, automatic)
		n.Heard(right(96))
		synctest.Wait()
		if why, reloading := n.ViewOnly(); why != freshness.ReasonQuarantined || !reloading {
			t.Errorf("under repair: %q, reloading %t", why, reloading)
		}
		changed := n.Changed()
		time.Sleep(11 * time.Second)
		if why, reloading := n.ViewOnly(); why != "" || reloading || !closed(changed) {
			t.Errorf("repaired: %q, reloading %t", why, reloading)
		}
		if kept := n.store.state(); kept != (trust.State{}) {
			t.Errorf("on disk is still %+v", kept)
		}
		if got := n.told(); !slices.Equal(got, []bool{true, false}) {
			t.Errorf("distrusted %v", got)
		}
		if s := n.Status(); s.Verified != 100 || s.Quarantine != nil || s.Failure != "" {
			t.Errorf("status %+v", s)
		}
		// What the old state waited to have compared is gone with it.
		time.Sleep(time.Hour)
		if tries := n.repairer.tries(); len(tries) != 1 {
			t.Errorf("repaired again: %v", tries)
		}
		// Another difference is another quarantine, repaired at once.
		n.digests.edit(func(d *digests) { d.applied, d.wrong = 110, 105 })
		n.Heard(right(106))
		synctest.Wait()
		if tries := n.repairer.tries(); !slices.Equal(tries, []int{0, 0}) {
			t.Errorf("attempts %v: each quarantine counts its own", tries)
		}
	})
}

func TestARepairThatFailsIsTriedAgainNoSoonerThanTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := applied100()
		n.digests.wrong, n.repairer.fail = 95, errors.New("node-2 does not answer")
		n.start(t, automatic)
		n.Heard(right(96))
		time.Sleep(10*time.Minute + time.Second)
		n.repairer.mu.Lock()
		at, tries := n.repairer.at, n.repairer.attempts
		n.repairer.mu.Unlock()
		if len(at) != 21 {
			t.Errorf("%d attempts in ten minutes at one in 30 s", len(at))
		}
		for i := 1; i < len(at); i++ {
			if gap := at[i].Sub(at[i-1]); gap < 30*time.Second || tries[i] != i {
				t.Errorf("attempt %d came %s after the one before", tries[i], gap)
			}
		}
		if s := n.Status(); s.Tried != 21 || s.Failure == "" || s.Quarantine == nil {
			t.Errorf("status %+v", s)
		}
		n.wants(t, "not repaired", freshness.ReasonQuarantined)
		n.repairer.edit(func(r *repairer) { r.fail = nil })
		time.Sleep(31 * time.Second)
		n.wants(t, "repaired", "")
	})
}

// TestWithoutAutomaticRepairAnOperatorAsks.
func TestWithoutAutomaticRepairAnOperatorAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := applied100().start(t)
		_, _, err := n.Repair(t.Context())
		if candor.ReasonOf(err) != candor.ReasonConflict {
			t.Errorf("repairing what needs none: %v", err)
		}
		n.digests.edit(func(d *digests) { d.wrong = 95 })
		n.Heard(right(96))
		time.Sleep(time.Hour)
		if tries := n.repairer.tries(); len(tries) > 0 {
			t.Fatalf("repaired by itself: %v", tries)
		}
		n.repairer.edit(func(r *repairer) { r.fail = candor.Errorf(candor.ReasonUnavailable, "nobody answers") })
		if _, _, err = n.Repair(t.Context()); candor.ReasonOf(err) != candor.ReasonUnavailable {
			t.Errorf("a repair that fails: %v", err)
		}
		if _, reloading := n.ViewOnly(); reloading {
			t.Error("still reloading after a repair that failed")
		}
		n.repairer.edit(func(r *repairer) { r.fail, r.takes = nil, time.Second })
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		var wait sync.WaitGroup
		wait.Go(func() {
			source, index, err := n.Repair(t.Context())
			if err != nil || source != "node-2" || index != 100 {
				t.Errorf("repaired from %q at %d: %v", source, index, err)
			}
		})
		synctest.Wait()
		if _, _, err = n.Repair(ctx); candor.ReasonOf(err) != candor.ReasonTimedOut {
			t.Errorf("a second repair at once: %v", err)
		}
		wait.Wait()
		if n.repairer.top != 1 {
			t.Errorf("%d repairs at once", n.repairer.top)
		}
		n.wants(t, "repaired", "")
	})
}

func TestAgreementAtALaterIndexLifts(t *testing.T) {
	n := applied100()
	n.digests.wrong = 95
	n.start(t)
	n.Heard(right(96))
	n.wants(t, "differing", freshness.ReasonQuarantined)
	// Older agreement is no news: the state went wrong after it.
	n.Heard(right(94))
	n.wants(t, "after older agreement", freshness.ReasonQuarantined)
	// A leader's snapshot replaced the state.
	n.digests.edit(func(d *digests) { d.first, d.applied, d.wrong = 150, 150, 0 })
	changed := n.Changed()
	n.Heard(right(150))
	n.wants(t, "after later agreement", "")
	if got := n.told(); !slices.Equal(got, []bool{true, false}) || n.store.state().Quarantine != nil || !closed(changed) {
		t.Errorf("distrusted %v, on disk %+v", got, n.store.state())
	}
}

// TestTheWorstReasonIsTold: QUARANTINED before REMOVED before OPERATOR.
func TestTheWorstReasonIsTold(t *testing.T) {
	n := applied100()
	n.digests.wrong = 95
	n.start(t)
	step := func(what string, want freshness.ModeReason, do func()) {
		t.Helper()
		changed := n.Changed()
		before, _ := n.ViewOnly()
		do()
		n.wants(t, what, want)
		if closed(changed) != (before != want) {
			t.Errorf("%s: from %q to %q, and the channel is closed: %t", what, before, want, closed(changed))
		}
	}
	operator := func(on bool) func() {
		return func() {
			if changed, err := n.SetOperator(on); err != nil || !changed {
				t.Errorf("operator %t: %t, %v", on, changed, err)
			}
		}
	}
	step("operator", freshness.ReasonOperator, operator(true))
	step("and removed", freshness.ReasonRemoved, func() { n.Removed(true) })
	step("removed twice", freshness.ReasonRemoved, func() { n.Removed(true) })
	step("and quarantined", freshness.ReasonQuarantined, func() { n.Heard(right(96)) })
	step("no operator", freshness.ReasonQuarantined, operator(false))
	step("operator again", freshness.ReasonQuarantined, operator(true))
	step("repaired", freshness.ReasonRemoved, func() {
		if _, _, err := n.Repair(t.Context()); err != nil {
			t.Error(err)
		}
	})
	step("a member", freshness.ReasonOperator, func() { n.Removed(false) })
	step("nothing", "", operator(false))
	if changed, err := n.SetOperator(false); changed || err != nil {
		t.Errorf("set to what it is: %t, %v", changed, err)
	}
}

func TestAnOperatorsWordOutlivesARestart(t *testing.T) {
	n := applied100().start(t)
	if _, err := n.SetOperator(true); err != nil {
		t.Fatal(err)
	}
	n.Close()
	n.start(t)
	n.wants(t, "after a restart", freshness.ReasonOperator)
	// It is the operator's, and nobody repairs it or distrusts the state for it.
	if got := n.told(); len(got) > 0 || len(n.repairer.tries()) > 0 {
		t.Errorf("distrusted %v, repaired %v", got, n.repairer.tries())
	}
}

// TestAKeptQuarantineDistrustsAtOnce: before anybody has compared anything.
func TestAKeptQuarantineDistrustsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := applied100()
		n.store.kept = trust.State{Quarantine: &trust.Quarantine{Index: 96}}
		n.repairer.takes = time.Second
		n.start(t, automatic)
		n.wants(t, "after a restart", freshness.ReasonQuarantined)
		if got := n.told(); !slices.Equal(got, []bool{true}) {
			t.Errorf("distrusted %v", got)
		}
		synctest.Wait()
		if tries := n.repairer.tries(); len(tries) != 1 {
			t.Errorf("repairs %v", tries)
		}
		time.Sleep(2 * time.Second)
		n.wants(t, "repaired", "")
	})
}

// TestAStoreThatFailsIsToldOfAndHoldsNothingUp.
func TestAStoreThatFailsIsToldOfAndHoldsNothingUp(t *testing.T) {
	n := applied100()
	n.store.fail = errDisk
	if _, err := trust.New(trust.Config{
		Store: n.store, Digests: n.digests, Repairer: n.repairer, Interval: time.Second, Distrust: func(bool) {}, Logger: nullLogger,
	}); !errors.Is(err, errDisk) {
		t.Errorf("made a keeper of what cannot be read: %v", err)
	}
	n.store.fail = nil
	n.start(t)
	n.store.fail = errDisk
	// An operator is told, and nothing has changed.
	changed := n.Changed()
	if on, err := n.SetOperator(true); on || err == nil {
		t.Errorf("set without being kept: %t, %v", on, err)
	}
	n.wants(t, "an operator's word that was not kept", "")
	if closed(changed) {
		t.Error("somebody was told")
	}
	// A quarantine holds all the same, and so does its end.
	n.digests.edit(func(d *digests) { d.wrong = 95 })
	n.Heard(right(96))
	n.wants(t, "quarantine that was not kept", freshness.ReasonQuarantined)
	if _, _, err := n.Repair(t.Context()); err != nil {
		t.Error(err)
	}
	n.wants(t, "its end", "")
	if got := n.told(); !slices.Equal(got, []bool{true, false}) {
		t.Errorf("distrusted %v", got)
	}
}

// TestADiskThatHangsDoesNotHoldAQuarantineUp.
func TestADiskThatHangsDoesNotHoldAQuarantineUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := applied100()
		n.digests.wrong = 95
		n.start(t)
		n.store.hang = make(chan struct{})
		changed := n.Changed()
		go n.Heard(right(96))
		synctest.Wait()
		n.wants(t, "with a disk that hangs", freshness.ReasonQuarantined)
		if !closed(changed) {
			t.Error("nobody was told")
		}
		close(n.store.hang)
		synctest.Wait()
	})
}

// TestCloseEndsARepair and waits for it.
func TestCloseEndsARepair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := applied100()
		n.digests.wrong, n.repairer.takes = 95, time.Hour
		n.start(t, automatic)
		n.Heard(right(96))
		synctest.Wait()
		began := time.Now()
		n.Close()
		if time.Since(began) > 0 || n.repairer.busy > 0 {
			t.Errorf("closing took %s; %d repairs go on", time.Since(began), n.repairer.busy)
		}
		if n.store.state().Quarantine == nil {
			t.Error("the end of the process ended the quarantine")
		}
	})
}

func TestAKeeperNeedsWhatItStandsOn(t *testing.T) {
	for name, lose := range map[string]func(*trust.Config){
		"store":    func(c *trust.Config) { c.Store = nil },
		"digests":  func(c *trust.Config) { c.Digests = nil },
		"repairer": func(c *trust.Config) { c.Repairer = nil },
		"distrust": func(c *trust.Config) { c.Distrust = nil },
		"logger":   func(c *trust.Config) { c.Logger = nil },
		"interval": func(c *trust.Config) { c.Interval = 0 },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a keeper without %s was made", name)
				}
			}()
			applied100().start(t, lose)
		}()
	}
}

// TestAKeeperIsUsedByManyAtOnce.
func TestAKeeperIsUsedByManyAtOnce(t *testing.T) {
	n := applied100()
	n.start(t, automatic, func(c *trust.Config) { c.Interval = time.Millisecond })
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for k := range 500 {
				switch (i + k) % 8 {
				case 0:
					n.digests.edit(func(d *digests) { d.applied++; d.wrong = d.applied })
				case 1:
					n.Heard(right(n.digests.Applied()))
				case 2:
					n.Removed(k%3 == 0)
				case 3:
					_, _ = n.SetOperator(k%5 == 0)
				case 4:
					_, _, _ = n.Repair(t.Context())
				case 5:
					n.Status()
				case 6:
					n.ViewOnly()
				default:
					n.Changed()
				}
			}
		})
	}
	wait.Wait()
	// However it went, it ends where everything is well.
	n.Removed(false)
	_, _ = n.SetOperator(false)
	n.digests.edit(func(d *digests) { d.applied++; d.wrong = 0 })
	n.Heard(right(n.digests.Applied()))
	n.wants(t, "in the end", "")
	if got := n.told(); len(got)%2 != 0 {
		t.Errorf("distrusted %d times and trusted %d times", (len(got)+1)/2, len(got)/2)
	}
	for i, on := range n.told() {
		if on != (i%2 == 0) {
			t.Fatalf("told %t twice", on)
		}
	}
}
