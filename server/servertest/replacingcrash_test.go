package servertest_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/transition"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

// messagesTake is long enough for each step of a change to be seen, and short to a
// leader's patience.
const messagesTake = 2 * time.Millisecond

// replacement is one of a cluster's servers by a newcomer, whose every step takes its
// time.
type replacement struct {
	t *testing.T
	c *servertest.Cluster
	k operators
	// target goes and newcomer comes; leader led at the beginning.
	target, newcomer, leader *server.Server
	before                   []string
	answered                 chan error
}

// startReplacement has five servers and one that joined, and asks the leader to have
// that one come for another: for the leader itself, or for one that follows. A write
// was acknowledged before.
func startReplacement(t *testing.T, leads bool) *replacement {
	c := servertest.Start(t, servertest.WithServers(5))
	r := &replacement{t: t, c: c, k: operators{t, c}, before: names(c.Servers()), answered: make(chan error, 1)}
	r.newcomer = c.AddServer()
	mustCreate(t, c.Client(t), "before")
	r.leader = c.Leader()
	r.target = r.leader
	if !leads {
		r.target = without(c, r.leader, r.newcomer)[0]
	}
	wantSoundTenures(t, c)
	for _, from := range names(c.Servers()) {
		for _, to := range names(c.Servers()) {
			if from != to {
				c.Slow(from, to, messagesTake)
			}
		}
	}
	time.Sleep(50 * time.Millisecond) // messages of before are quick
	go func() { r.answered <- r.k.replace(r.leader.Name(), r.target.Name(), r.newcomer.Name(), time.Minute) }()
	return r
}

// ends wants the change to have ended as planned, whatever happened to a leader of it,
// or, where the root never heard of it, to be made when it is asked for again.
func (r *replacement) ends(must bool) {
	t, c := r.t, r.c
	t.Helper()
	c.Heal()
	planned := func() transition.Record {
		x := c.Leader().Machine().View().Transition(transition.MemberReplace, r.target.ID())
		if !x.Pending.IsZero() {
			return x.Pending
		}
		return x.Ended
	}
	c.Until("the one that leads knows all that was acknowledged", func() bool { return c.Leader().Replica().Leading() })
	if must && planned().IsZero() {
		t.Fatalf("the plan is gone")
	}
	began := time.Now()
	err := <-r.answered
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("whoever asked was answered after %s: %v", took, err)
	}
	if planned().IsZero() {
		wantReason(t, err, candor.ReasonNotLeader, candor.ReasonUnavailable, candor.ReasonLeadershipUnconfirmed, candor.ReasonOutcomeUnknown, candor.ReasonShuttingDown, candor.ReasonTimedOut, candor.ReasonQuorumAtRisk)
		r.k.insist(r.target.Name(), r.newcomer.Name())
	}
	c.Until("the replacement has ended", func() bool { return planned().Phase.Terminal() })
	if p := planned(); p.Phase != transition.PhasePublished {
		t.Errorf("%s ended %s", p.ID, p.Phase)
	}
	var voters []string
	for _, name := range append(slices.Clone(r.before), r.newcomer.Name()) {
		if name != r.target.Name() {
			voters = append(voters, name)
		}
	}
	// One that was removed may not have heard of it.
	if slices.Contains(c.Servers(), r.target) {
		c.Stop(r.target.Name())
	}
	wantMembers(t, c, voters...)
	mustCreate(t, c.Client(t), "after")
	if v, err := c.Leader().Machine().View().Get(refOf("before"), 0); err != nil || v == nil {
		t.Errorf("what was acknowledged before is gone: %v", err)
	}
	wantEveryChangeAccountedFor(t, c)
}

// stage is a step of a replacement, as whoever leads sees it.
type stage struct {
	name string
	seen func(r *replacement, leader *server.Server) bool
	// led says that it only comes where the target leads.
	led bool
}

func pending(kind transition.Kind, of func(r *replacement) *server.Server) func(r *replacement, leader *server.Server) bool {
	return func(r *replacement, leader *server.Server) bool {
		return !leader.Machine().View().Transition(kind, of(r).ID()).Pending.IsZero()
	}
}

func (r *replacement) pendsAnywhere(kind transition.Kind, leader *server.Server) bool {
	return len(leader.Machine().View().PendingTransitions(kind, 1)) > 0
}

func target(r *replacement) *server.Server   { return r.target }
func newcomer(r *replacement) *server.Server { return r.newcomer }

// votes says whether a server has its vote in the newest configuration of the leader.
func votes(leader, s *server.Server) bool {
	m, member := leader.Replica().Configuration().Find(raft.ServerID(s.ID()))
	return member && m.Suffrage == raft.Voter
}

// knows says the same of the state machine's, which is committed.
func knows(leader, s *server.Server) (member, voter bool) {
	for _, m := range leader.Machine().View().Configuration().Servers {
		if m.ID == s.ID() {
			return true, m.Voter
		}
	}
	return false, false
}

var stages = []stage{
	{"planned", pending(transition.MemberReplace, target), false},
	{"promotion planned", pending(transition.MemberPromote, newcomer), false},
	{"promotion proposed", func(r *replacement, leader *server.Server) bool { return votes(leader, r.newcomer) }, false},
	{"promoted", func(r *replacement, leader *server.Server) bool { _, voter := knows(leader, r.newcomer); return voter }, false},
	{"promotion published", func(r *replacement, leader *server.Server) bool {
		return leader.Machine().View().Transition(transition.MemberPromote, r.newcomer.ID()).Ended.Phase == transition.PhasePublished
	}, false},
	{"transfer planned", func(r *replacement, leader *server.Server) bool {
		return r.pendsAnywhere(transition.LeaderTransfer, leader)
	}, true},
	{"leadership handed over", func(r *replacement, leader *server.Server) bool { return leader != r.leader }, true},
	{"removal planned", pending(transition.MemberRemove, target), false},
	{"removal proposed", func(r *replacement, leader *server.Server) bool {
		_, member := leader.Replica().Configuration().Find(raft.ServerID(r.target.ID()))
		return !member
	}, false},
	{"removed, not published", func(r *replacement, leader *server.Server) bool {
		member, _ := knows(leader, r.target)
		return !member && !leader.Machine().View().Transition(transition.MemberReplace, r.target.ID()).Pending.IsZero()
	}, false},
	{"published", func(r *replacement, leader *server.Server) bool {
		return leader.Machine().View().Transition(transition.MemberReplace, r.target.ID()).Ended.Phase == transition.PhasePublished
	}, false},
}

// reaches waits for a stage, by who leads then.
func (r *replacement) reaches(s stage) *server.Server {
	r.t.Helper()
	for began := time.Now(); time.Since(began) < patience; time.Sleep(messagesTake / 20) {
		for _, one := range r.c.Servers() {
			if one.Replica().Leading() && s.seen(r, one) {
				return one
			}
		}
	}
	r.t.Fatalf("never seen: %s", s.name)
	return nil
}

// patience is how long a stage is waited for.
const patience = 20 * time.Second

// What may befall whoever leads.
var misfortunes = []struct {
	name string
	do   func(c *servertest.Cluster, name string)
}{
	{"killed", func(c *servertest.Cluster, name string) { c.Kill(name) }},
	{"cut off", func(c *servertest.Cluster, name string) {
		c.Isolate(name)
		c.Leader(name) // the others have another
		time.Sleep(500 * time.Millisecond)
	}},
}

// TestAReplacementGoesOnWhateverStepItsLeaderIsLostAt: killed, or cut off and alive; the
// next one to hold the duty ends it.
func TestAReplacementGoesOnWhateverStepItsLeaderIsLostAt(t *testing.T) {
	long(t)
	for _, leads := range []bool{false, true} {
		for _, s := range stages {
			if s.led && !leads {
				continue
			}
			for _, m := range misfortunes {
				whom := map[bool]string{false: "of a follower", true: "of the leader"}[leads]
				t.Run(strings.Join([]string{whom, s.name, m.name}, ", "), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						r := startReplacement(t, leads)
						m.do(r.c, r.reaches(s).Name())
						r.ends(true)
					})
				})
			}
		}
	}
}

// TestAReplacementIsMadeOrNotBegunWheneverItsLeaderIsLost: at any instant from the
// request on, of which most lie between two steps.
func TestAReplacementIsMadeOrNotBegunWheneverItsLeaderIsLost(t *testing.T) {
	last, step := 80*time.Millisecond, 2*time.Millisecond
	if testing.Short() {
		step = 8 * time.Millisecond
	}
	made, never := 0, 0
	for at := time.Duration(0); at < last; at += step {
		m := misfortunes[int(at/step)%len(misfortunes)]
		t.Run(fmt.Sprintf("%s after %s", m.name, at), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := startReplacement(t, int(at/step)/len(misfortunes)%2 == 1)
				time.Sleep(at + time.Millisecond/2)
				m.do(r.c, r.c.Leader().Name())
				if r.c.Leader().Machine().View().Transition(transition.MemberReplace, r.target.ID()).Entry == (transition.Entry{}) {
					never++
				} else {
					made++
				}
				r.ends(false)
			})
		})
	}
	t.Logf("%d were planned then, %d were not", made, never)
	if made == 0 || never == 0 {
		t.Error("want some of both")
	}
}

// TestAJoinGoesOnWhenItsLeaderIsKilled: planned, or made and not published.
func TestAJoinGoesOnWhenItsLeaderIsKilled(t *testing.T) {
	const joined = "id-of-n9"
	for _, s := range []struct {
		name string
		seen func(leader *server.Server) bool
	}{
		{"planned", func(leader *server.Server) bool {
			return !leader.Machine().View().Transition(transition.MemberAdd, joined).Pending.IsZero()
		}},
		{"proposed", func(leader *server.Server) bool {
			_, member := leader.Replica().Configuration().Find(joined)
			return member
		}},
		{"added", func(leader *server.Server) bool {
			return slices.ContainsFunc(leader.Machine().View().Configuration().Servers, func(m transition.Server) bool { return m.ID == joined })
		}},
	} {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := servertest.Start(t)
				leader := c.Leader()
				heldBy(t, c, "topology", leader)
				for _, other := range without(c, leader) {
					c.Slow(leader.Name(), other.Name(), messagesTake)
					c.Slow(other.Name(), leader.Name(), messagesTake)
				}
				time.Sleep(50 * time.Millisecond)
				in := &candorv1.JoinRequest{ServerId: joined, Name: "n9", RaftAddress: "n9/raft", ApiAddress: "n9", FeatureLevel: candor.FeatureLevel}
				stub := candorv1.NewClusterServiceClient(linked(t, c, leader.Name()))
				var wait sync.WaitGroup
				wait.Go(func() {
					_, err := stub.Join(t.Context(), in)
					if candor.ReasonOf(convert.ErrorFromStatus(err)) == "" {
						t.Error("one that is killed has answered")
					}
				})
				for !s.seen(leader) {
					time.Sleep(messagesTake / 20)
				}
				c.Kill(leader.Name())
				wait.Wait()
				c.Heal()
				c.Until("the join has ended", func() bool {
					return c.Leader().Machine().View().Transition(transition.MemberAdd, joined).Ended.Phase == transition.PhasePublished
				})
				// It never ran: the newcomer that asks again is told that it is in already.
				again, err := candorv1.NewClusterServiceClient(linked(t, c, c.Leader().Name())).Join(t.Context(), in)
				if err != nil || again.GetConfigurationIndex() != c.Leader().Machine().View().Configuration().Index {
					t.Errorf("asked again: %v, %v", again, err)
				}
				if n := wantEveryChangeAccountedFor(t, c); n != 1 {
					t.Errorf("%d transitions", n)
				}
			})
		})
	}
}
