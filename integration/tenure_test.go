package integration

import (
	"context"
	"testing"
	"time"

	"github.com/candor-plane/candor/fsm/tenure"
)

// What takes over from a holder that was killed: an election, which is to be over in
// less than a second, and for timestamps the end of what the dead one may have believed.
const (
	fencedWithin = time.Second
	electsWithin = time.Second
)

var tsoWithin = tenureLasts + electsWithin

// TestDutiesOfKilledHoldersAreTakenOverInTime, with kill -9, again and again, while
// clients ask all servers for numbers.
func TestDutiesOfKilledHoldersAreTakenOverInTime(t *testing.T) {
	kills := 8
	if testing.Short() {
		kills = 3
	}
	c := start(t, 3)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
	defer cancel()
	k := c.client()
	n := c.take(ctx, k)
	var ids, tso durations
	late := func() int { return max(ids.late(fencedWithin), tso.late(tsoWithin)) }
	// What came late is measured again, up to a point.
	for len(ids) < kills+late() && late() < measured {
		leader := c.leader(ctx, k)
		until(ctx, t, leader.name+" holds both", func() bool {
			return n.settled(ctx, tenure.DutyIDs) == leader && n.settled(ctx, tenure.DutyTSO) == leader
		})
		n.first(ctx, tenure.DutyTSO, "", time.Now())
		was := n.holders[leader]
		began := time.Now()
		leader.kill()
		ids = append(ids, n.first(ctx, tenure.DutyIDs, was, began))
		tso = append(tso, n.first(ctx, tenure.DutyTSO, was, began))
		leader.begin(t)
		c.answers(ctx, k, leader)
	}
	n.judge(ctx, kills+1)
	t.Logf("takeover of a fenced duty: %s; of tso: %s", ids, tso)
	if late() >= measured && (!ids.within(fencedWithin) || !tso.within(tsoWithin)) {
		t.Errorf("want them within %s, and %s: %v, %v", fencedWithin, tsoWithin, []time.Duration(ids), []time.Duration(tso))
	}
}

// TestDutiesMoveWithoutDelay: one by one, with leadership, and with a server that
// stops. Then all stop and come back.
func TestDutiesMoveWithoutDelay(t *testing.T) {
	c := start(t, 3)
	ctx, cancel := context.WithTimeout(t.Context(), 55*time.Second)
	defer cancel()
	k := c.client()
	n := c.take(ctx, k)
	wantIn(t, "tso moved by an operator, until the other answers", 150*time.Millisecond, func() (moved durations) {
		for i := range 10 {
			from := n.settled(ctx, tenure.DutyTSO)
			to := n.next(from, i)
			n.first(ctx, tenure.DutyTSO, "", time.Now())
			began := time.Now()
			n.move(ctx, tenure.DutyTSO, to)
			moved = append(moved, n.first(ctx, tenure.DutyTSO, n.holders[from], began))
		}
		return moved
	})
	// Both go with the leader from here on.
	leader := c.leader(ctx, k)
	for _, duty := range []string{tenure.DutyTSO, tenure.DutyIDs} {
		if n.settled(ctx, duty) != leader {
			n.move(ctx, duty, leader)
		}
	}
	wantIn(t, "ids with leadership handed over", 500*time.Millisecond, func() (led durations) {
		for i := range 6 {
			from := n.settled(ctx, tenure.DutyIDs)
			began := time.Now()
			if _, err := k.Cluster().TransferLeader(ctx, n.next(from, i).name); err != nil {
				t.Fatal(err)
			}
			led = append(led, n.first(ctx, tenure.DutyIDs, n.holders[from], began))
		}
		return led
	})
	wantIn(t, "ids of a server that stops", time.Second, func() (stopped durations) {
		for range 3 {
			from := n.settled(ctx, tenure.DutyIDs)
			began := time.Now()
			from.stop(t)
			stopped = append(stopped, n.first(ctx, tenure.DutyIDs, n.holders[from], began))
			from.begin(t)
			c.answers(ctx, k, from)
		}
		return stopped
	})
	for _, p := range c.servers {
		p.kill()
	}
	c.begin()
	began := time.Now()
	n.first(ctx, tenure.DutyIDs, "", began)
	n.first(ctx, tenure.DutyTSO, "", began)
	n.judge(ctx, 10)
}

// TestAHolderThatIsCutOffHandsOutNothingTwice: clients reach it all the time, and the
// others elect another leader.
func TestAHolderThatIsCutOffHandsOutNothingTwice(t *testing.T) {
	t.Parallel()
	c := &cluster{t: t, dir: t.TempDir(), links: newLinks(t)}
	c.plan(3)
	c.begin()
	ctx, cancel := context.WithTimeout(t.Context(), 55*time.Second)
	defer cancel()
	k := c.client()
	n := c.take(ctx, k)
	for range 2 {
		holder := n.settled(ctx, tenure.DutyTSO)
		var rest []string
		for _, p := range c.servers {
			if p != holder {
				rest = append(rest, p.name)
			}
		}
		began := time.Now()
		c.links.Part([]string{holder.name}, rest)
		n.first(ctx, tenure.DutyIDs, n.holders[holder], began)
		t.Logf("another answered after %s", n.first(ctx, tenure.DutyTSO, n.holders[holder], began))
		pass(ctx, t, time.Second)
		c.links.HealAll()
		n.first(ctx, tenure.DutyTSO, "", time.Now())
	}
	n.judge(ctx, 3)
}
