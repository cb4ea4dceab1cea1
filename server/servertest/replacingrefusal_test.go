package servertest_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/fsm/transition"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

// TestARemovalThatWouldLoseTheQuorumIsRefusedWithTheNumbers, and nothing is planned;
// forced it is planned with what it risks, and made once enough voters answer again.
func TestARemovalThatWouldLoseTheQuorumIsRefusedWithTheNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithData(t.TempDir()))
		leader := c.Leader()
		heldBy(t, c, "topology", leader)
		others := without(c, leader)
		down, removed := others[0], others[1]
		k := c.Client(t)
		c.Kill(down.Name())
		ctx, cancel := within(10 * time.Second)
		defer cancel()
		_, err := k.Cluster().Remove(ctx, removed.Name(), client.RemoveOptions{})
		wantReason(t, err, candor.ReasonQuorumAtRisk)
		for _, number := range []string{"3 voters, 2 answer", "there are 2 voters, which need 2, and 1 answers"} {
			if !strings.Contains(err.Error(), number) {
				t.Errorf("%v: want %q", err, number)
			}
		}
		if n := len(transitionsBy(t, leader.Machine().View())); n != 0 {
			t.Errorf("%d transitions", n)
		}
		forced, end := within(3 * time.Second)
		defer end()
		_, err = k.Cluster().Remove(forced, removed.Name(), client.RemoveOptions{Force: true})
		wantReason(t, err, candor.ReasonOutcomeUnknown, candor.ReasonTimedOut)
		c.Restart(down.Name())
		var made recorded
		c.Until("the removal has ended", func() bool {
			all := ofKind(t, c.Leader().Machine().View(), transition.MemberRemove)
			if len(all) == 1 {
				made = all[0]
			}
			return made.Status.Phase.Terminal()
		})
		if made.Status.Phase != transition.PhasePublished || !strings.Contains(made.Plan.Message, "candor cluster recover") {
			t.Errorf("%+v", made)
		}
		c.Stop(removed.Name())
		wantMembers(t, c, leader.Name(), down.Name())
		mustCreate(t, c.Client(t), "after")
		wantEveryChangeAccountedFor(t, c)
	})
}

// startLagging has a cluster of three with two newcomers, of which the first does not
// hear of anything new, so that it cannot be promoted; and a replacement that waits for
// it.
func startLagging(t *testing.T) (r *replacement, another *server.Server) {
	c := servertest.Start(t)
	r = &replacement{t: t, c: c, k: operators{t, c}, answered: make(chan error, 1)}
	r.newcomer, another = c.AddServer(), c.AddServer()
	r.leader = c.Leader()
	r.target = without(c, r.leader, r.newcomer, another)[0]
	wantSoundTenures(t, c)
	c.Starve(r.newcomer.Name())
	mustCreate(t, c.Client(t, r.leader.Name()), "missed")
	go func() { r.answered <- r.k.replace(r.leader.Name(), r.target.Name(), r.newcomer.Name(), time.Hour) }()
	c.Until("it is planned", func() bool { return pending(transition.MemberPromote, newcomer)(r, r.leader) })
	return r, another
}

// the is the replacement as people see it.
func (r *replacement) the() *candorv1.Transition {
	r.t.Helper()
	for _, x := range shown(r.t, r.c, r.c.Leader().Name(), &candorv1.TransitionsRequest{}) {
		if x.GetKind() == string(transition.MemberReplace) {
			return x
		}
	}
	r.t.Fatal("there is none")
	return nil
}

// TestAReplacementWhoseNewcomerDoesNotCatchUpSaysThatItStandsStill, and goes on once it
// has.
func TestAReplacementWhoseNewcomerDoesNotCatchUpSaysThatItStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, another := startLagging(t)
		time.Sleep(50 * time.Second)
		if x := r.the(); x.GetStalled() != nil || x.GetPhase() == "PUBLISHED" {
			t.Errorf("before its deadline: %v", x)
		}
		time.Sleep(20 * time.Second)
		late := shown(t, r.c, r.leader.Name(), &candorv1.TransitionsRequest{Pending: true})
		if len(late) != 2 {
			t.Errorf("%v", late)
		}
		for _, x := range late {
			if s := x.GetStalled(); s.GetCause() == "" || s.GetNextAction() == "" || s.GetDeadline() > r.leader.Machine().View().ClusterTime() {
				t.Errorf("after its deadline: %v", x)
			}
			if x.GetKind() == string(transition.MemberPromote) && (x.GetReason() != string(candor.ReasonNotCaughtUp) || x.GetMessage() == "" || x.GetAttempts() == 0) {
				t.Errorf("why it waits: %v", x)
			}
		}
		if _, voter := knows(r.leader, r.newcomer); voter {
			t.Error("the newcomer has its vote")
		}
		r.c.Heal()
		noError(t, <-r.answered)
		r.c.Stop(r.target.Name())
		wantEveryChangeAccountedFor(t, r.c)
		_, err := r.c.Client(t).Cluster().Remove(t.Context(), another.Name(), client.RemoveOptions{})
		noError(t, err)
		wantMembers(t, r.c, names(without(r.c, another))...)
	})
}

// TestOneChangeOfATargetAtATime: the same request again is answered by the same
// transition, another one conflicts with it, and once it is given up whoever waits is
// told, no step is left, and the target can be changed otherwise.
func TestOneChangeOfATargetAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, another := startLagging(t)
		again := make(chan error, 1)
		go func() { again <- r.k.replace(r.leader.Name(), r.target.Name(), r.newcomer.Name(), time.Hour) }()
		time.Sleep(time.Second)
		if n := len(ofKind(t, r.leader.Machine().View(), transition.MemberReplace)); n != 1 {
			t.Errorf("the same asked for twice makes %d replacements", n)
		}
		id := r.the().GetId()
		err := r.k.replace(r.leader.Name(), r.target.Name(), another.Name(), time.Minute)
		wantReason(t, err, candor.ReasonConflict)
		if !strings.Contains(err.Error(), "pending") && !strings.Contains(err.Error(), id) {
			t.Errorf("it does not say what pends: %v", err)
		}
		x, err := cancelChange(t, r.c, r.leader.Name(), id)
		if err != nil || x.GetPhase() != string(transition.PhaseCancelled) {
			t.Fatalf("cancelled: %v, %v", x, err)
		}
		for _, answer := range []chan error{r.answered, again} {
			if err := <-answer; err == nil || !strings.Contains(err.Error(), id) {
				t.Errorf("whoever waited is told: %v", err)
			}
		}
		if x, err := cancelChange(t, r.c, r.leader.Name(), id); err != nil || x.GetPhase() != string(transition.PhaseCancelled) {
			t.Errorf("cancelled again: %v, %v", x, err)
		}
		began := time.Now()
		r.c.Until("no step is left", func() bool {
			return len(r.leader.Machine().View().PendingTransitions("", 1)) == 0
		})
		if took := time.Since(began); took > 12*time.Second {
			t.Errorf("a step was left for %s", took)
		}
		noError(t, r.k.replace(r.leader.Name(), r.target.Name(), another.Name(), time.Minute))
		_, err = cancelChange(t, r.c, r.leader.Name(), r.newestReplacement())
		wantReason(t, err, candor.ReasonConflict)
		r.c.Stop(r.target.Name())
		r.c.Heal()
		wantEveryChangeAccountedFor(t, r.c)
	})
}

func (r *replacement) newestReplacement() string {
	all := ofKind(r.t, r.c.Leader().Machine().View(), transition.MemberReplace)
	return all[len(all)-1].Plan.ID()
}

// TestTheLeaderIsRemovedByItsOwnHand: it hands over first, and whoever asked learns that
// it is gone.
func TestTheLeaderIsRemovedByItsOwnHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		gone := c.Leader()
		heldBy(t, c, "topology", gone)
		ctx, cancel := within(20 * time.Second)
		defer cancel()
		began := time.Now()
		_, err := k.Cluster().Remove(ctx, gone.Name(), client.RemoveOptions{})
		if took := time.Since(began); err != nil || took > 5*time.Second {
			t.Errorf("after %s: %v", took, err)
		}
		c.Stop(gone.Name())
		wantMembers(t, c, names(c.Servers())...)
		if n := wantEveryChangeAccountedFor(t, c); n != 2 {
			t.Errorf("%d transitions: want a transfer and a removal", n)
		}
	})
}

// TestWhatALeaderThatIsCutOffIsAskedForIsNotBegun: nobody planned it, before or after.
func TestWhatALeaderThatIsCutOffIsAskedForIsNotBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		x, old := operators{t, c}, c.Leader()
		newcomer := c.AddServer()
		heldBy(t, c, "topology", old)
		removed := without(c, old, newcomer)[0]
		before := len(transitionsBy(t, old.Machine().View()))
		c.Isolate(old.Name())
		err := x.replace(old.Name(), removed.Name(), newcomer.Name(), 5*time.Second)
		wantReason(t, err, candor.ReasonLeadershipUnconfirmed, candor.ReasonNotLeader, candor.ReasonTimedOut, candor.ReasonUnavailable, candor.ReasonQuorumAtRisk)
		c.Leader(old.Name())
		c.Heal()
		wantEveryChangeAccountedFor(t, c)
		if n := len(transitionsBy(t, c.Leader().Machine().View())); n != before {
			t.Errorf("%d transitions, and there were %d", n, before)
		}
		x.insist(removed.Name(), newcomer.Name())
		c.Stop(removed.Name())
		wantEveryChangeAccountedFor(t, c)
	})
}

// TestNobodyPlansWhileNobodyWouldMakeIt: without the duty a request is refused.
func TestNobodyPlansWhileNobodyWouldMakeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t, servertest.WithDuties())
		leader := c.Leader()
		ctx, cancel := within(10 * time.Second)
		defer cancel()
		_, err := candorv1.NewClusterServiceClient(dial(t, c, leader.Name())).Remove(ctx, &candorv1.RemoveRequest{Server: c.Follower().Name()})
		wantReason(t, convert.ErrorFromStatus(err), candor.ReasonSchedulerDegraded)
		if n := len(transitionsBy(t, leader.Machine().View())); n != 0 {
			t.Errorf("%d transitions", n)
		}
	})
}

// TestADutyOfAServerThatWasReplacedIsAMembersSoon, although that server runs on: it
// cannot renew what it holds.
func TestADutyOfAServerThatWasReplacedIsAMembersSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		x, leader := operators{t, c}, c.Leader()
		replaced := without(c, leader)[0]
		for _, duty := range []string{idsDuty, tsoDuty} {
			heldBy(t, c, duty, leader)
			move(t, c, duty, leader, replaced)
			heldBy(t, c, duty, replaced)
		}
		newcomer := c.AddServer()
		noError(t, x.replace(leader.Name(), replaced.Name(), newcomer.Name(), 20*time.Second))
		began := time.Now()
		for _, duty := range []string{idsDuty, tsoDuty} {
			heldBy(t, c, duty, leader)
		}
		if took := time.Since(began); took > 2*tenureLasts {
			t.Errorf("they were taken after %s", took)
		}
		c.Stop(replaced.Name())
		wantEveryChangeAccountedFor(t, c)
	})
}

// TestTwoWhoAskForOneRemovalAreBothToldTheTruth, however the second lies to the first:
// it is made, it pends in another form, or there is no such member any more.
func TestTwoWhoAskForOneRemovalAreBothToldTheTruth(t *testing.T) {
	made, refused := 0, 0
	for after := range 25 {
		for _, force := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				c := servertest.Start(t)
				leader := c.Leader()
				heldBy(t, c, "topology", leader)
				wantSoundTenures(t, c)
				removed := without(c, leader)[0]
				// Who asks looks at the members for longer than a change of them takes.
				c.Slow(leader.Name(), removed.Name(), 5*messagesTake)
				c.Slow(removed.Name(), leader.Name(), 5*messagesTake)
				time.Sleep(50 * time.Millisecond)
				stub := candorv1.NewClusterServiceClient(linked(t, c, leader.Name()))
				answers := make(chan error, 2)
				ask := func(force bool) {
					_, err := stub.Remove(t.Context(), &candorv1.RemoveRequest{Server: removed.Name(), Force: force})
					answers <- convert.ErrorFromStatus(err)
				}
				go ask(false)
				time.Sleep(time.Duration(after) * messagesTake)
				go ask(force)
				for range 2 {
					switch err := <-answers; candor.ReasonOf(err) {
					case "":
						made++
					case candor.ReasonNotAMember, candor.ReasonEpochMismatch:
						refused++
					case candor.ReasonConflict:
						if refused++; !force {
							t.Errorf("the same, %d later: %v", after, err)
						}
					default:
						t.Errorf("%d later, forced %v: %v", after, force, err)
					}
				}
				c.Stop(removed.Name())
				c.Heal()
				wantEveryChangeAccountedFor(t, c)
			})
		}
	}
	t.Logf("%d were told that it is made, %d were refused", made, refused)
}
