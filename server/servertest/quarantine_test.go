package servertest_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

func manualRepair() servertest.Option {
	return servertest.WithFreshness(func(f *server.Freshness) { f.ManualRepair = true })
}

// TestAFollowerWhoseStateDiffersQuarantinesItselfAndIsRepaired while writes go on:
// by itself, within a few intervals of the beacon.
func TestAFollowerWhoseStateDiffersQuarantinesItselfAndIsRepaired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, faulty := withDisks(3)
		c := servertest.Start(t, faulty)
		var known ledger
		leader, victim := c.Leader(), c.Follower()
		stop := keepWriting(t, c, &known, 2, 10*time.Millisecond)
		defer stop()
		r := readerOf(t, c, victim)
		time.Sleep(time.Second)
		told, watch := follow(t, r), watchOn(t, r, weak(), 0)
		// The snapshot that repairs it is to take a moment.
		for _, s := range without(c, victim) {
			c.Slow(s.Name(), victim.Name(), 20*time.Millisecond)
		}
		d.arm(victim.Name(), 'A')
		write := markedWrite(t, c, d, c.Client(t, leader.Name()), "poisoned", victim)
		began := time.Now()
		c.Until("it is quarantined", func() bool { return r.served(t, weak()).Mode == candor.ModeViewOnly })
		if took := time.Since(began); took > 800*time.Millisecond {
			t.Errorf("quarantined after %s", took)
		}
		q := quarantineOf(t, r)
		if q.GetIndex() < write.Token.Index || bytes.Equal(q.GetDigest(), q.GetMajorityDigest()) || q.GetSince() == nil {
			t.Errorf("its quarantine: %+v", q)
		}
		r.refused(t, strong(), candor.ReasonViewOnly)
		c.Heal()
		wantSound(t, c, r)
		if v, err := victim.Machine().View().Get(refOf("poisoned"), 0); err != nil || v == nil || !bytes.Contains(v.Data, []byte(mark)) {
			t.Errorf("after the repair it has %v, %v", v, err)
		}
		c.Until("it serves what is true", func() bool {
			asked := time.Now()
			known.honest(t, r.served(t, bounded(time.Second)), asked)
			return true
		})
		stop()
		wantEqualNow(t, c)
		if _, err := watch.end(); candor.ReasonOf(err) != candor.ReasonViewOnly {
			t.Errorf("its stream ended with %v", err)
		}
		told.wantOrder(t, "FRESH/NONE/HEALTHY/", "RECOVERING/RELOAD/VIEW_ONLY/QUARANTINED", "FRESH/NONE/HEALTHY/")
		told.wantSteady(t)
	})
}

// TestAQuarantinedNodeWaitsForTheOperatorWhereRepairsAreManual, says so
// everywhere, ends every stream and is no target of a transfer.
func TestAQuarantinedNodeWaitsForTheOperatorWhereRepairsAreManual(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, faulty := withDisks(3)
		c := servertest.Start(t, faulty, manualRepair())
		leader, victim := c.Leader(), c.Follower()
		k := c.Client(t, leader.Name())
		r := readerOf(t, c, victim)
		time.Sleep(time.Second)
		streams := []*watched{watchOn(t, r, weak(), 0), watchOn(t, r, bounded(time.Second), 0), watchOn(t, r, anywhere(), 0)}
		repair := func() (*candorv1.RepairResponse, error) {
			ctx, cancel := within(time.Minute)
			defer cancel()
			out, err := candorv1.NewNodeServiceClient(r.conn).Repair(ctx, &candorv1.RepairRequest{})
			return out, convert.ErrorFromStatus(err)
		}
		_, err := repair()
		wantReason(t, err, candor.ReasonConflict)
		time.Sleep(time.Second)
		d.arm(victim.Name(), 'A')
		markedWrite(t, c, d, k, "poisoned", victim)
		c.Until("it is quarantined", func() bool { return quarantineOf(t, r) != nil })
		time.Sleep(time.Minute)
		wantViewOnly(t, r, "QUARANTINED")
		for i, s := range streams {
			if _, err := s.end(); candor.ReasonOf(err) != candor.ReasonViewOnly {
				t.Errorf("stream %d ended with %v", i, err)
			}
		}
		late := watchOn(t, r, weak(), 0)
		time.Sleep(time.Second)
		if _, err := late.end(); candor.ReasonOf(err) != candor.ReasonViewOnly {
			t.Errorf("a stream that began in the quarantine ended with %v", err)
		}
		ctx, cancel := within(20 * time.Second)
		defer cancel()
		_, err = k.Cluster().TransferLeader(ctx, victim.Name())
		wantReason(t, err, candor.ReasonConflict)
		mustCreate(t, k, "more")
		if q := quarantineOf(t, r); q.GetRepairsTried() != 0 {
			t.Errorf("nobody asked, and it was tried: %+v", q)
		}
		out, err := repair()
		if err != nil || out.GetSource() == victim.ID() || out.GetVerifiedIndex() == 0 {
			t.Fatalf("repair: %+v, %v", out, err)
		}
		began := time.Now()
		wantSound(t, c, r)
		t.Logf("sound after %s", time.Since(began))
		// The leader compares again before it trusts it.
		c.Until("it can lead again", func() bool {
			ctx, cancel := within(5 * time.Second)
			defer cancel()
			_, err := k.Cluster().TransferLeader(ctx, victim.Name())
			if err != nil {
				wantReason(t, err, candor.ReasonConflict)
			}
			return err == nil
		})
	})
}

// TestALeaderWhoseStateDiffersHandsOver to a sound voter, and serves nothing that
// must be relied on meanwhile; then it is repaired as a follower.
func TestALeaderWhoseStateDiffersHandsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, faulty := withDisks(3)
		c := servertest.Start(t, faulty, servertest.WithFreshness(func(f *server.Freshness) {
			// Nobody compares before it leads.
			f.Beacon, f.Policy.FreshAge, f.Policy.Window = 2*time.Second, 3*time.Second, 5*time.Second
		}))
		var known ledger
		victim := c.Follower()
		r := readerOf(t, c, victim)
		k := c.Client(t)
		time.Sleep(3 * time.Second)
		told := follow(t, r)
		d.arm(victim.Name(), 'A')
		markedWrite(t, c, d, k, "poisoned", victim)
		ctx, cancel := within(20 * time.Second)
		defer cancel()
		// The cluster would not make a server lead that it has seen to differ.
		if err := c.Leader().Replica().TransferLeader(ctx, victim.ID()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		led := false
		c.Until("it leads no more", func() bool {
			led = led || victim.Replica().Status().Role == "Leader"
			quarantined := quarantineOf(t, r) != nil
			for _, read := range []*candorv1.ReadOptions{strong(), anywhere(), bounded(time.Minute)} {
				if w, err := r.get(t, read, time.Second); err == nil && quarantined && quarantineOf(t, r) != nil {
					t.Errorf("quarantined, it serves %+v", w)
				}
			}
			return led && victim.Replica().Status().Role != "Leader"
		})
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it led for %s", took)
		}
		next := c.Leader()
		if next == victim {
			t.Fatal("it leads again")
		}
		known.acknowledged(mustCreate(t, k, "after").Token)
		wantSound(t, c, r)
		asked := time.Now()
		known.honest(t, r.served(t, anywhere()), asked)
		time.Sleep(3 * time.Second)
		quarantined := false
		for _, s := range told.all() {
			quarantined = quarantined || s.reason == "QUARANTINED"
		}
		if !quarantined {
			t.Errorf("it never said why: %v", told.all())
		}
		told.wantSteady(t)
	})
}
