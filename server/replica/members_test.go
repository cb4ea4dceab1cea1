package replica

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/transition"
)

// knows says whether the state machine of a server has the members that Raft has.
func (n *node) knows(c Configuration) bool {
	var want []transition.Server
	for _, s := range c.Servers {
		want = append(want, transition.Server{ID: string(s.ID), Address: string(s.Address), Voter: s.Suffrage == raft.Voter})
	}
	got := n.replica().machine.View().Configuration()
	if got.Index != c.Index || len(got.Servers) != len(want) {
		return false
	}
	for i := range want {
		if got.Servers[i] != want[i] {
			return false
		}
	}
	return true
}

// TestTheStateMachineKnowsTheMembers of every configuration entry, the first included,
// and again after a restart from a snapshot.
func TestTheStateMachineKnowsTheMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		everybody := func(when string) {
			c.until("the members are known "+when, 10*time.Second, func() bool {
				now := c.leader().replica().Configuration()
				for _, n := range c.nodes {
					if !n.knows(now) {
						return false
					}
				}
				return true
			})
		}
		everybody("at the beginning")
		x := c.add()
		c.start(x)
		if _, err := c.leader().replica().Join(within(5*time.Second), raft.Server{ID: raft.ServerID(x.id), Address: x.address}, 0); err != nil {
			t.Fatal(err)
		}
		everybody("after one joined")
		if _, err := c.leader().replica().Promote(within(5*time.Second), x.id, 0); err != nil {
			t.Fatal(err)
		}
		everybody("after it was promoted")
		if err := x.replica().Snapshot(within(time.Second)); err != nil {
			t.Fatal(err)
		}
		c.stop(x, true)
		c.start(x)
		everybody("after a restart")
		c.mustPropose(c.leader(), "more")
		c.converged("more")
		c.sameDigests()
	})
}

// TestAPlannedChangeEndsByWhatTheLogShows, on every server alike: the entry of the
// change is noted, and the next leader's first command writes the end.
func TestAPlannedChangeEndsByWhatTheLogShows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, 3)
		leader := c.leader()
		x := c.add()
		c.start(x)
		view := leader.replica().machine.View()
		plan := &transition.Plan{
			Kind: transition.MemberAdd, Target: x.id, Intent: transition.Membership{Address: string(x.address)}.Intent(), Source: view.Token(),
			Configuration: leader.replica().Configuration().Index, Actor: "test",
		}
		planned, err := leader.replica().Propose(within(5*time.Second), Proposal{Command: command.AppendCommand(nil, command.Plan(plan, ""))})
		if err != nil || planned.Err() != nil {
			t.Fatal(err, planned.Err())
		}
		index, err := leader.replica().Join(within(5*time.Second), raft.Server{ID: raft.ServerID(x.id), Address: x.address}, plan.Configuration)
		if err != nil {
			t.Fatal(err)
		}
		entries := func(what string, good func(e transition.Entry) bool) {
			c.until(what, 10*time.Second, func() bool {
				for _, n := range c.nodes {
					if !good(n.replica().machine.View().Transition(plan.Kind, plan.Target).Entry) {
						return false
					}
				}
				return true
			})
		}
		entries("every server has noted it", func(e transition.Entry) bool { return e.Pending.Shown == index })
		if err := leader.replica().TransferLeader(within(5*time.Second), c.follower().id); err != nil {
			t.Fatal(err)
		}
		entries("every server has its end", func(e transition.Entry) bool {
			return e.Ended.ID == planned.Verdict.Standing && e.Ended.Phase == transition.PhasePublished
		})
		c.sameDigests()
	})
}
