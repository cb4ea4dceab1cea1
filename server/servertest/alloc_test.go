package servertest_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

// answeredIn are the answers of an era to questions asked in a time.
func (n *takers) answeredIn(duty string, era uint64, from, to time.Time) (count int) {
	for _, a := range n.of(duty) {
		if a.Era == era && a.Asked.After(from) && a.Told.Before(to) {
			count++
		}
	}
	return count
}

// allocating is a cluster of five under load whose ids and tso are held by a server
// that leads, or by one that follows.
func allocating(t *testing.T, leads bool) (c *servertest.Cluster, n *takers, leader, holder *server.Server) {
	t.Helper()
	c = servertest.Start(t, servertest.WithServers(5))
	n = takeNumbers(t, c, rarely)
	leader = c.Leader()
	for _, duty := range allDuties {
		heldBy(t, c, duty, leader)
	}
	if leads {
		return c, n, leader, leader
	}
	holder = without(c, leader)[0]
	for _, duty := range []string{idsDuty, tsoDuty} {
		move(t, c, duty, leader, holder)
		heldBy(t, c, duty, holder)
	}
	return c, n, leader, holder
}

// cutOff is who is cut off from whom.
type cutOff struct {
	name  string
	leads bool
	// leader says that the leader is cut off together with the holder.
	leader bool
	// ids is how soon another has them, after the election where there is one, and
	// otherwise after the cut.
	elects bool
	ids    time.Duration
}

// TestAHolderThatIsCutOffHandsOutNothingTwice: clients reach it all the time, and it
// answers them: IDs that are its own, and timestamps while nobody else can have the
// duty.
func TestAHolderThatIsCutOffHandsOutNothingTwice(t *testing.T) {
	long(t)
	for _, x := range []cutOff{
		{"the leader", true, true, true, slack},
		{"a follower", false, false, false, tenureLasts + slack},
		{"a follower with the leader", false, true, true, 500*time.Millisecond + slack},
	} {
		t.Run(x.name+" soon", func(t *testing.T) { synctest.Test(t, func(t *testing.T) { cutOffOnce(t, &x, soon) }) })
		t.Run(x.name+" in time", func(t *testing.T) { synctest.Test(t, func(t *testing.T) { cutOffOnce(t, &x, reservedLate) }) })
	}
}

// soon after the duty began: the newest reservation is as old as the newest renewal.
func soon(testing.TB, *servertest.Cluster, *server.Server) { time.Sleep(700 * time.Millisecond) }

// reservedLate waits until IDs were reserved well after the tenure was renewed: then the
// holder has some left when its tenure has ended.
func reservedLate(t testing.TB, c *servertest.Cluster, holder *server.Server) {
	var was tenure.Era
	var renewed, reserved time.Time
	c.Until("IDs were reserved late", func() bool {
		is, now := lineage(t, holder, idsDuty).Current, time.Now()
		if is.RenewedUntil != was.RenewedUntil {
			renewed = now
		}
		if is.Bound != was.Bound {
			reserved = now
		}
		was = is
		return now.Sub(renewed) > 700*time.Millisecond && now.Sub(reserved) < 200*time.Millisecond
	})
}

func cutOffOnce(t *testing.T, x *cutOff, when func(testing.TB, *servertest.Cluster, *server.Server)) {
	c, n, leader, holder := allocating(t, x.leads)
	seen := look(t, c.Servers()...)
	when(t, c, holder)
	off := []*server.Server{holder}
	if x.leader && leader != holder {
		off = append(off, leader)
	}
	rest := without(c, off...)
	was := map[string]tenure.Era{idsDuty: lineage(t, leader, idsDuty).Current, tsoDuty: lineage(t, leader, tsoDuty).Current}
	began := time.Now()
	for _, a := range off {
		for _, b := range rest {
			c.Cut(a.Name(), b.Name())
			c.Cut(b.Name(), a.Name())
		}
	}
	taken := func(duty string) time.Time {
		c.Until("another holds "+duty, func() bool {
			l := lineage(t, rest[0], duty)
			return l.Current.Number == was[duty].Number+1 && l.Current.State == tenure.StateActive && l.Current.Holder != was[duty].Holder
		})
		return seen.era(t, duty, was[duty].Number+1)
	}
	ids, from := taken(idsDuty), began
	if x.elects {
		from = seen.ledAfter(t, began)
	}
	if after := ids.Sub(from); after > x.ids {
		t.Errorf("%s was taken after %s", idsDuty, after)
	}
	tso := taken(tsoDuty)
	if after := tso.Sub(from); after > tenureLasts+slack {
		t.Errorf("%s was taken after %s", tsoDuty, after)
	}
	if l := lineage(t, rest[0], tsoDuty); l.Current.GrantedAt < was[tsoDuty].RenewedUntil {
		t.Errorf("%s was granted at %d; the era before lasts to %d", tsoDuty, l.Current.GrantedAt, was[tsoDuty].RenewedUntil)
	}
	time.Sleep(tenureLasts)
	now := time.Now()
	// The check has a point: both answered at one time, and the old one fell silent.
	if old := n.answeredIn(idsDuty, was[idsDuty].Number, ids, now); old == 0 {
		t.Errorf("INCONCLUSIVE: no ID of the old era after %s of the new", now.Sub(ids))
	}
	if old := n.answeredIn(tsoDuty, was[tsoDuty].Number, began.Add(time.Second), tso); old == 0 {
		t.Error("INCONCLUSIVE: no timestamp of a holder that may believe for some time")
	}
	if old := n.answeredIn(tsoDuty, was[tsoDuty].Number, tso, now); old != 0 {
		t.Errorf("%d timestamps of the old era after the new one began", old)
	}
	if fresh := n.answeredIn(tsoDuty, was[tsoDuty].Number+1, tso, now); fresh < 20 {
		t.Errorf("%d timestamps of the new era", fresh)
	}
	c.Heal()
	time.Sleep(time.Second)
	n.finish(t, c)
	wantSoundTenures(t, c)
	n.judge(t, c, 2)
}

// TestAHolderThatPausesHandsOutNothingTwice: what it was asked, and what it answered,
// arrives when it is back. One that follows the leader and comes back in time keeps its
// duties.
func TestAHolderThatPausesHandsOutNothingTwice(t *testing.T) {
	long(t)
	for _, leads := range []bool{true, false} {
		for _, times := range []float64{0.5, 1.5, 10} {
			t.Run(fmt.Sprintf("leads %v, %v tenures", leads, times), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c, n, _, holder := allocating(t, leads)
					was := lineage(t, holder, tsoDuty).Current.Number
					time.Sleep(700 * time.Millisecond)
					c.Silence(holder.Name())
					time.Sleep(time.Duration(times * float64(tenureLasts)))
					c.Heal()
					time.Sleep(1500 * time.Millisecond)
					l, keeps := lineage(t, c.Leader(), tsoDuty), !leads && times < 1
					if keeps != (l.Current.Number == was) || keeps != (l.Current.Holder == holderOf(holder)) {
						t.Errorf("era %d before, %+v after", was, l.Current)
					}
					n.finish(t, c)
					wantSoundTenures(t, c)
					n.judge(t, c, map[bool]int{true: 1, false: 2}[keeps])
				})
			})
		}
	}
}

// TestNumbersGoOnAfterARestartOfAll: killed, and stopped, one after the other.
func TestNumbersGoOnAfterARestartOfAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithData(t.TempDir()))
		n := takeNumbers(t, c, rarely)
		all := names(c.Servers())
		for _, ends := range []func(string){c.Kill, c.Stop, c.Kill} {
			n.await(t, c)
			time.Sleep(time.Second)
			for _, name := range all {
				ends(name)
			}
			before := map[string]uint64{idsDuty: n.newest(idsDuty), tsoDuty: n.newest(tsoDuty)}
			for _, name := range all {
				c.Restart(name)
			}
			for duty, highest := range before {
				c.Until("more of "+duty, func() bool { return n.newest(duty) > highest })
			}
		}
		n.finish(t, c)
		wantSoundTenures(t, c)
		n.judge(t, c, 4)
	})
}

// TestNumbersAreAskedForWithinBounds: none is one, and too many are refused.
func TestNumbersAreAskedForWithinBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		for _, duty := range allDuties {
			heldBy(t, c, duty, c.Leader())
		}
		stub := candorv1.NewAllocServiceClient(dial(t, c, c.Leader().Name()))
		if a, err := stub.AllocIDs(t.Context(), &candorv1.AllocIDsRequest{}); err != nil || a.GetCount() != 1 || a.GetFirst() == 0 {
			t.Errorf("%v, %v", a, err)
		}
		for duty, most := range map[string]uint64{idsDuty: 1 << 20, tsoDuty: 1 << 18} {
			first, count, era, err := take(t.Context(), stub, duty, time.Second, most)
			if err != nil || count != most || era != 1 || first == 0 {
				t.Errorf("%s: %d %d %d, %v", duty, first, count, era, err)
			}
			_, _, _, err = take(t.Context(), stub, duty, time.Second, most+1)
			wantReason(t, err, "INVALID")
			if next, _, _, err := take(t.Context(), stub, duty, time.Second, 1); err != nil || next < first+most {
				t.Errorf("%s: %d after %d of %d, %v", duty, next, most, first, err)
			}
		}
	})
}
