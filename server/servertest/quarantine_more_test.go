package servertest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

// TestWithoutAMajorityDifferingStatesOnlyAlarm: three servers in three states
// cannot tell who is right, and nobody is quarantined.
func TestWithoutAMajorityDifferingStatesOnlyAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, faulty := withDisks(3)
		c := servertest.Start(t, faulty)
		leader := c.Leader()
		others := without(c, leader)
		time.Sleep(time.Second)
		d.arm(others[0].Name(), 'A')
		d.arm(others[1].Name(), 'B')
		markedWrite(t, c, d, c.Client(t, leader.Name()), "poisoned", others...)
		c.Until("the leader raises an alarm", func() bool { return readerOf(t, c, leader).freshness(t).GetAlarm() != "" })
		time.Sleep(10 * time.Second)
		for _, r := range readersOf(t, c) {
			if q := quarantineOf(t, r); q != nil {
				t.Errorf("%s: %+v", r.server.Name(), q)
			}
			if w := r.served(t, bounded(time.Second)); w.Mode != candor.ModeHealthy {
				t.Errorf("%s: %+v", r.server.Name(), w)
			}
		}
		if readerOf(t, c, leader).freshness(t).GetAlarm() == "" {
			t.Error("the alarm is gone, and nothing is mended")
		}
	})
}

// TestAQuarantineLastsOverARestart, and so does its end.
func TestAQuarantineLastsOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, faulty := withDisks(3)
		c := servertest.Start(t, faulty, manualRepair(), servertest.WithData(t.TempDir()))
		leader, victim := c.Leader(), c.Follower()
		r := readerOf(t, c, victim)
		time.Sleep(time.Second)
		d.arm(victim.Name(), 'A')
		markedWrite(t, c, d, c.Client(t, leader.Name()), "poisoned", victim)
		c.Until("it is quarantined", func() bool { return quarantineOf(t, r) != nil })
		was := quarantineOf(t, r)
		for _, end := range []func(string){c.Kill, c.Stop} {
			end(victim.Name())
			r = readerOf(t, c, c.Restart(victim.Name()))
			q := quarantineOf(t, r)
			if q == nil || q.GetIndex() != was.GetIndex() || string(q.GetDigest()) != string(was.GetDigest()) || string(q.GetMajorityDigest()) != string(was.GetMajorityDigest()) || !q.GetSince().AsTime().Equal(was.GetSince().AsTime()) {
				t.Fatalf("after a restart: %+v, before: %+v", q, was)
			}
			c.Until("it has a view again", func() bool {
				_, err := r.get(t, weak(), time.Second)
				return err == nil
			})
			wantViewOnly(t, r, "QUARANTINED")
			time.Sleep(10 * time.Second)
			wantViewOnly(t, r, "QUARANTINED")
		}
		k := c.Client(t)
		ctx, cancel := within(time.Minute)
		defer cancel()
		if _, err := k.Node(r.server.Name()).Repair(ctx); err != nil {
			t.Fatal(err)
		}
		wantSound(t, c, r)
		c.Kill(victim.Name())
		r = readerOf(t, c, c.Restart(victim.Name()))
		c.Until("it is well again", func() bool {
			w, err := r.get(t, weak(), time.Second)
			return err == nil && w.Mode == candor.ModeHealthy
		})
		wantEqualNow(t, c)
		if v, err := r.server.Machine().View().Get(refOf("poisoned"), 0); err != nil || v == nil {
			t.Errorf("%v, %v", v, err)
		}
	})
}

// TestARepairGoesOnUntilAVoterGivesAVerifiedSnapshot: the voter that is asked
// first is out of reach for a while.
func TestARepairGoesOnUntilAVoterGivesAVerifiedSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, faulty := withDisks(5)
		c := servertest.Start(t, faulty, servertest.WithFreshness(func(f *server.Freshness) { f.RepairInterval = time.Second }))
		leader := c.Leader()
		others := without(c, leader)
		victim := others[0]
		r := readerOf(t, c, victim)
		time.Sleep(time.Second)
		// Two voters of five say nothing: three agree, and the one in doubt does not
		// count among them.
		c.Kill(others[2].Name())
		c.Isolate(others[3].Name())
		d.arm(victim.Name(), 'A')
		k := c.Client(t, leader.Name())
		markedWrite(t, c, d, k, "poisoned", victim)
		time.Sleep(20 * time.Second)
		if q := quarantineOf(t, r); q != nil {
			t.Errorf("two of five make no majority, and it is quarantined: %+v", q)
		}
		c.Heal()
		mustCreate(t, k, "more")
		c.Until("it was quarantined and repaired", func() bool {
			v, err := victim.Machine().View().Get(refOf("poisoned"), 0)
			w, bad := r.get(t, weak(), time.Second)
			return err == nil && v != nil && bad == nil && w.Mode == candor.ModeHealthy && victim.Machine().View().Digest() == leader.Machine().View().Digest()
		})
		wantSound(t, c, r)
	})
}

// TestAQuarantinedLeaderFindsASoundVoterThatLives: the first in the list is dead.
func TestAQuarantinedLeaderFindsASoundVoterThatLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, faulty := withDisks(5)
		c := servertest.Start(t, faulty, servertest.WithFreshness(func(f *server.Freshness) {
			f.Beacon, f.Policy.FreshAge, f.Policy.Window = 2*time.Second, 3*time.Second, 5*time.Second
		}))
		// The list is in the order of names.
		victim := c.Server(2)
		k := c.Client(t)
		ctx, cancel := within(time.Minute)
		defer cancel()
		lead := func() {
			t.Helper()
			if err := c.Leader().Replica().TransferLeader(ctx, victim.ID()); err != nil {
				t.Fatal(err)
			}
		}
		if c.Leader().Name() != "n5" {
			if _, err := k.Cluster().TransferLeader(ctx, "n5"); err != nil {
				t.Fatal(err)
			}
		}
		c.Kill("n1")
		r := readerOf(t, c, victim)
		time.Sleep(3 * time.Second)
		told := follow(t, r)
		d.arm(victim.Name(), 'A')
		markedWrite(t, c, d, k, "poisoned", victim)
		lead()
		c.Until("another leads", func() bool {
			return victim.Replica().Status().Role != "Leader" && c.Leader() != victim
		})
		wantSound(t, c, r)
		time.Sleep(5 * time.Second)
		found := false
		for _, s := range told.all() {
			found = found || s.reason == "QUARANTINED"
		}
		if !found {
			t.Errorf("it was never quarantined: %v", told.all())
		}
	})
}
