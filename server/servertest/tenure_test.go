package servertest_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/allocator"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/replica"
	"github.com/candor-plane/candor/server/servertest"
)

// TestTheLeaderHoldsEveryDuty from the start, under one era, and says so; the others
// say who holds them.
func TestTheLeaderHoldsEveryDuty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		leader := c.Leader()
		for _, duty := range allDuties {
			heldBy(t, c, duty, leader)
		}
		time.Sleep(time.Minute)
		for _, s := range c.Servers() {
			answer, err := candorv1.NewTenureServiceClient(dial(t, c, s.Name())).Tenures(t.Context(), &candorv1.TenuresRequest{})
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range answer.GetTenures() {
				if e := x.GetCurrent(); e.GetNumber() != 1 || e.GetState() != "ACTIVE" || e.GetHolderName() != leader.Name() {
					t.Errorf("%s says of %s: %v", s.Name(), x.GetDuty(), e)
				}
			}
			for _, here := range answer.GetHere() {
				if here.GetActing() != (s == leader) || here.GetBelieves() != (s == leader) {
					t.Errorf("%s is to act: %v; it says %v", s.Name(), s == leader, here)
				}
			}
			if len(answer.GetTenures()) != len(allDuties) || len(answer.GetHere()) != len(allDuties) {
				t.Errorf("%s knows %d duties, and has %d", s.Name(), len(answer.GetTenures()), len(answer.GetHere()))
			}
		}
		wantSoundTenures(t, c)
	})
}

// TestDutiesOfADeadLeaderAreTakenOver time and again: what the fence guards with the
// election; what leans on belief once that has ended, and a tenure after the election
// at the latest.
func TestDutiesOfADeadLeaderAreTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithServers(5))
		seen := look(t, c.Servers()...)
		n := takeNumbers(t, c, rarely)
		for range 2 {
			leader := c.Leader()
			before := map[string]tenure.Lineage{}
			for _, duty := range allDuties {
				heldBy(t, c, duty, leader)
			}
			time.Sleep(1300 * time.Millisecond)
			for _, duty := range allDuties {
				before[duty] = lineage(t, leader, duty)
			}
			began := time.Now()
			c.Kill(leader.Name())
			heir := c.Leader(leader.Name())
			for _, duty := range allDuties {
				l := heldBy(t, c, duty, heir)
				was := before[duty].Current
				if l.Current.Number != was.Number+1 || l.Finished.Sealing != tenure.SealingBound {
					t.Errorf("%s: %+v", duty, l)
				}
				elected, took := seen.ledAfter(t, began), seen.era(t, duty, l.Current.Number)
				limit := slack
				if duty == tsoDuty {
					limit += tenureLasts
					if l.Current.GrantedAt < was.RenewedUntil {
						t.Errorf("%s was granted at %d, and the era before lasted to %d at least", duty, l.Current.GrantedAt, was.RenewedUntil)
					}
				}
				if after := took.Sub(elected); after > limit {
					t.Errorf("%s was taken %s after the election", duty, after)
				}
				t.Logf("%s: election %s, takeover %s", duty, elected.Sub(began), took.Sub(began))
			}
		}
		n.finish(t, c)
		wantSoundTenures(t, c)
		n.judge(t, c, 3)
	})
}

// TestADutyThatAServerMayNotHoldIsAnothers, although that server leads.
func TestADutyThatAServerMayNotHoldIsAnothers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var options []servertest.Option
		for i := range 2 {
			options = append(options, servertest.WithServer(fmt.Sprintf("n%d", i+1), func(c *server.Config) {
				c.Duties = slices.DeleteFunc(server.DutyNames(), func(duty string) bool { return duty == idsDuty })
			}))
		}
		c := servertest.Start(t, options...)
		only := c.Server(2)
		n := takeNumbers(t, c, rarely)
		began := time.Now()
		heldBy(t, c, idsDuty, only)
		if took := time.Since(began); took > 2*time.Second+slack {
			t.Errorf("%s was taken after %s", idsDuty, took)
		}
		for range 3 {
			before := c.Leader()
			to := without(c, before, only)[0]
			ctx, cancel := within(5 * time.Second)
			if _, err := c.Client(t).Cluster().TransferLeader(ctx, to.Name()); err != nil {
				t.Fatal(err)
			}
			cancel()
			heldBy(t, c, tsoDuty, to)
			time.Sleep(2 * tenureLasts)
			if l := lineage(t, only, idsDuty); l.Current.Holder != holderOf(only) || l.Current.Number != 1 {
				t.Errorf("%s: %+v", idsDuty, l.Current)
			}
		}
		n.finish(t, c)
		wantSoundTenures(t, c)
		n.judge(t, c, 1)
	})
}

// TestAnOperatorMovesDuties to one server each, which keep them when the leader goes;
// exactly what was used is sealed.
func TestAnOperatorMovesDuties(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		n := takeNumbers(t, c, rarely)
		leader := c.Leader()
		for _, duty := range allDuties {
			heldBy(t, c, duty, leader)
		}
		time.Sleep(time.Second)
		others := without(c, leader)
		// There and back and there again: it is the operator's to say.
		for _, step := range [][2]*server.Server{{leader, others[0]}, {others[0], leader}} {
			began := time.Now()
			move(t, c, idsDuty, step[0], step[1])
			if took := time.Since(began); took > slack {
				t.Errorf("%s to %s: it took %s", idsDuty, step[1].Name(), took)
			}
			heldBy(t, c, idsDuty, step[1])
		}
		eras := map[string]uint64{}
		given := map[string]*server.Server{idsDuty: others[0], tsoDuty: others[1]}
		for duty, to := range given {
			began, was := time.Now(), lineage(t, leader, duty).Current.Number
			answer := move(t, c, duty, leader, to)
			if e := answer.GetTenure().GetCurrent(); answer.GetSealedEra() != was || e.GetNumber() != was+1 || e.GetHolderName() != to.Name() || e.GetState() != "ACTIVE" {
				t.Errorf("%s: %v", duty, answer)
			}
			if took := time.Since(began); took > slack {
				t.Errorf("%s: it took %s", duty, took)
			}
			l := heldBy(t, c, duty, to)
			if l.Finished.Sealing != tenure.SealingExact {
				t.Errorf("%s: %+v", duty, l.Finished)
			}
			eras[duty] = l.Current.Number
		}
		if _, err := candorv1.NewTenureServiceClient(dial(t, c, leader.Name())).TransferTenure(t.Context(), &candorv1.TransferTenureRequest{Duty: tsoDuty, Server: leader.Name()}); candor.ReasonOf(convert.ErrorFromStatus(err)) != candor.ReasonNotHosted {
			t.Errorf("it gives away what it does not hold: %v", err)
		}
		time.Sleep(time.Second)
		ctx, cancel := within(5 * time.Second)
		defer cancel()
		if _, err := c.Client(t).Cluster().TransferLeader(ctx, others[1].Name()); err != nil {
			t.Fatal(err)
		}
		heldBy(t, c, janitorDuty, others[1])
		time.Sleep(2 * tenureLasts)
		for duty, to := range given {
			if l := heldBy(t, c, duty, to); l.Current.Number != eras[duty] {
				t.Errorf("%s: %+v", duty, l.Current)
			}
		}
		n.finish(t, c)
		wantSoundTenures(t, c)
		n.judge(t, c, 2)
	})
}

// TestAStopHandsOverAtOnce with exactly what was handed out.
func TestAStopHandsOverAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		seen := look(t, c.Servers()...)
		leader := c.Leader()
		n := takeNumbers(t, c, rarely)
		for _, duty := range allDuties {
			heldBy(t, c, duty, leader)
		}
		time.Sleep(time.Second)
		began := time.Now()
		c.Stop(leader.Name())
		heir := c.Leader()
		for _, duty := range allDuties {
			l := heldBy(t, c, duty, heir)
			if l.Finished.Sealing != tenure.SealingExact || l.Finished.Usage != l.Current.Start {
				t.Errorf("%s: %+v", duty, l)
			}
			took := seen.era(t, duty, l.Current.Number).Sub(began)
			if t.Logf("%s was taken after %s", duty, took); took > 2*slack {
				t.Errorf("%s was taken after %s", duty, took)
			}
			if highest := n.highest(duty, 1); duty != janitorDuty && highest != valueOf(duty)(l.Finished.Usage) {
				t.Errorf("%s: sealed with %d; %d was the highest answer", duty, valueOf(duty)(l.Finished.Usage), highest)
			}
		}
		time.Sleep(time.Second)
		n.finish(t, c)
		wantSoundTenures(t, c)
		n.judge(t, c, 2)
	})
}

// shifted is a clock whose idea of the date can be changed.
type shifted struct {
	replica.Clock
	by atomic.Int64
}

func (c *shifted) Wall() time.Time { return c.Clock.Wall().Add(time.Duration(c.by.Load())) }

// TestDatesDecideNothing: an hour forward and back, of a holder that leads, of one that
// follows, and of who takes over.
func TestDatesDecideNothing(t *testing.T) {
	long(t)
	synctest.Test(t, func(t *testing.T) {
		clocks := map[string]*shifted{}
		var options []servertest.Option
		for i := range 3 {
			name := fmt.Sprintf("n%d", i+1)
			clocks[name] = &shifted{}
			options = append(options, servertest.WithServer(name, func(c *server.Config) {
				clocks[name].Clock = c.Seams.Clock
				c.Seams.Clock = clocks[name]
			}))
		}
		c := servertest.Start(t, options...)
		n := takeNumbers(t, c, rarely)
		leader, follower := c.Leader(), c.Follower()
		for _, duty := range allDuties {
			heldBy(t, c, duty, leader)
		}
		time.Sleep(500 * time.Millisecond)
		move(t, c, idsDuty, leader, follower)
		heldBy(t, c, idsDuty, follower)
		before := map[string]uint64{}
		for _, duty := range allDuties {
			before[duty] = lineage(t, leader, duty).Current.Number
		}
		for _, s := range []*server.Server{leader, follower} {
			for _, by := range []time.Duration{time.Hour, -time.Hour, 0} {
				clocks[s.Name()].by.Store(int64(by))
				time.Sleep(2 * tenureLasts)
				for _, duty := range allDuties {
					if l := lineage(t, leader, duty); l.Current.Number != before[duty] || l.Current.State != tenure.StateActive {
						t.Errorf("%s shifted by %s: %s is %+v", s.Name(), by, duty, l.Current)
					}
				}
				now := time.Duration(leader.Machine().View().ClusterTime())
				if told, _ := allocator.Split(n.newest(tsoDuty)); (now - told).Abs() > tenureLasts {
					t.Errorf("%s shifted by %s: timestamps are at %s, cluster time at %s", s.Name(), by, told, now)
				}
			}
		}
		clocks[without(c, leader)[0].Name()].by.Store(int64(time.Hour))
		clocks[without(c, leader)[1].Name()].by.Store(-int64(time.Hour))
		c.Kill(leader.Name())
		heir := c.Leader(leader.Name())
		if l := heldBy(t, c, tsoDuty, heir); l.Current.GrantedAt < l.Finished.GrantedAt+int64(12*tenureLasts) {
			t.Errorf("granted at %d, and the era before at %d", l.Current.GrantedAt, l.Finished.GrantedAt)
		}
		n.finish(t, c)
		wantSoundTenures(t, c)
		n.judge(t, c, 2)
	})
}

// TestNothingOfASealedEraIsAccepted: the holder is cut off, another follows, and what
// the first sent meanwhile arrives. The very same command of the active era passes.
func TestNothingOfASealedEraIsAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithRetainRevisions(1000))
		k, leader, zombie := c.Client(t), c.Leader(), c.Follower()
		heldBy(t, c, janitorDuty, leader)
		move(t, c, janitorDuty, leader, zombie)
		was := heldBy(t, c, janitorDuty, zombie).Current
		for i := range 20 {
			mustCreate(t, k, fmt.Sprintf("o-%d", i))
		}
		compact := func(e tenure.Era, floor uint64) *command.Command {
			x := command.Compact(floor)
			x.Duty, x.Era, x.Holder = janitorDuty, e.Number, e.Holder
			return x
		}
		floor := func() uint64 { return c.Leader().Machine().View().Floor() }
		ctx, cancel := within(30 * time.Second)
		defer cancel()
		if _, err := propose(ctx, zombie, compact(was, 2)); err != nil || floor() != 2 {
			t.Fatalf("of the active era: %v, floor %d", err, floor())
		}
		c.Isolate(zombie.Name())
		// It is on its way to the leader until the network is whole again.
		late := make(chan error, 1)
		go func() {
			_, err := propose(ctx, zombie, compact(was, 10))
			late <- err
		}()
		var now tenure.Lineage
		c.Until("another holds it", func() bool {
			now = lineage(t, leader, janitorDuty)
			return now.Current.Number == was.Number+1 && now.Current.State == tenure.StateActive
		})
		if _, err := propose(ctx, leader, compact(was, 10)); candor.ReasonOf(err) != candor.ReasonEraStale || floor() != 2 {
			t.Errorf("of the sealed era: %v, floor %d", err, floor())
		}
		stolen := compact(now.Current, 10)
		stolen.Holder = was.Holder
		if _, err := propose(ctx, leader, stolen); candor.ReasonOf(err) != candor.ReasonForbidden || floor() != 2 {
			t.Errorf("of another's era: %v, floor %d", err, floor())
		}
		c.Heal()
		if err := <-late; candor.ReasonOf(err) != candor.ReasonEraStale && candor.ReasonOf(err) != candor.ReasonNotLeader && candor.ReasonOf(err) != candor.ReasonUnavailable {
			t.Errorf("what was on its way: %v", err)
		} else {
			t.Logf("what was on its way: %v", err)
		}
		if _, err := propose(ctx, zombie, compact(was, 10)); candor.ReasonOf(err) != candor.ReasonEraStale || floor() != 2 {
			t.Errorf("of the sealed era, by the old holder: %v, floor %d", err, floor())
		}
		if _, err := propose(ctx, leader, compact(now.Current, 10)); err != nil || floor() != 10 {
			t.Errorf("of the active era: %v, floor %d", err, floor())
		}
		wantSoundTenures(t, c)
	})
}
