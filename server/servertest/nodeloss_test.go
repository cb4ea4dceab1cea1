package servertest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
)

// The times of the failure policy that there is without any: silence is a failure after
// detect, and what is on the node is given up after giveUp more. Beats come every beat.
const (
	detect, giveUp, beat = 15 * time.Second, 30 * time.Second, 5 * time.Second
	// nearly is what a deadline may be missed by on a server that hears of cluster time
	// once a second.
	nearly = 1500 * time.Millisecond
)

// silence is what became of a node that fell silent, and when.
func silence(s *site, node string) (notReady, lost time.Duration) {
	s.Helper()
	began := time.Now()
	s.eventually(detect+5*time.Second, node+" is not ready", func() bool {
		return s.nodeIs(node, candor.ConditionReady, candor.ConditionFalse, candor.WhyHeartbeatMissed)
	})
	notReady = time.Since(began)
	s.eventually(giveUp+5*time.Second, "its instances are given up", func() bool { return s.onNode(node) == 0 })
	return notReady, time.Since(began)
}

func TestASilentNodeLosesItsInstancesInTime(t *testing.T) {
	for name, move := range map[string]bool{"the leader watches": false, "a follower watches": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, 3)
				if move {
					s.moveDuty(tenure.DutyControllers, s.c.Follower().Name())
				}
				s.create(workload("web", 6, ""))
				s.whole(10*time.Second, "web", 6)
				time.Sleep(30 * time.Second)
				old := map[string]bool{}
				for _, o := range s.list(candor.KindInstances) {
					if o.Metadata.Labels[candor.LabelNode] == "w2" {
						old[o.Metadata.UID] = true
					}
				}
				s.f.Cut("w2")
				notReady, lost := silence(s, "w2")
				if notReady < detect-beat || notReady > detect+nearly || lost < detect+giveUp-beat || lost > detect+giveUp+nearly {
					t.Errorf("not ready after %s, given up after %s", notReady, lost)
				}
				s.whole(10*time.Second, "web", 6)
				for _, o := range s.list(candor.KindInstances) {
					if instanceStatus(t, o).Node == "w2" || old[o.Metadata.UID] {
						t.Errorf("%s is on the lost node", o.Metadata.Name)
					}
				}
				s.f.Join("w2", "")
				s.eventually(beat+nearly, "w2 is ready again", func() bool {
					return s.nodeIs("w2", candor.ConditionReady, candor.ConditionTrue, candor.WhyHeartbeatFresh)
				})
				s.patch(workloadRef("web"), `{"replicas":12}`)
				s.whole(10*time.Second, "web", 12)
				if n := s.onNode("w2"); n != 4 {
					t.Errorf("%d of 12 are on the node that came back", n)
				}
				wantSoundHistory(s)
			})
		})
	}
}

// A silence that ends in time costs nothing: also under another session, as after a
// restart of the worker.
func TestANodeThatComesBackInTimeKeepsItsInstances(t *testing.T) {
	long(t)
	for name, session := range map[string]string{"the same worker": "", "a new worker": "second"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, 2)
				s.create(workload("web", 4, ""))
				s.whole(10*time.Second, "web", 4)
				uids := map[string]bool{}
				for _, o := range s.list(candor.KindInstances) {
					uids[o.Metadata.UID] = true
				}
				s.f.Cut("w1")
				time.Sleep(detect + giveUp/2)
				if !s.nodeIs("w1", candor.ConditionReady, candor.ConditionFalse, "") || s.status("web").Available != 2 {
					t.Errorf("%+v", s.status("web"))
				}
				s.f.Join("w1", session)
				s.eventually(beat+nearly, "all four are available", func() bool { return s.status("web").Available == 4 })
				time.Sleep(time.Minute)
				for _, o := range s.list(candor.KindInstances) {
					if !uids[o.Metadata.UID] {
						t.Errorf("%s is new", o.Metadata.Name)
					}
				}
				wantSoundHistory(s)
			})
		})
	}
}

// A node that is deleted takes what it ran with it.
func TestADeletedNodeLosesItsInstancesAtOnce(t *testing.T) {
	long(t)
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 3)
		s.create(workload("web", 6, ""))
		s.whole(10*time.Second, "web", 6)
		s.f.Cut("w3")
		s.remove(nodeRef("w3"))
		s.eventually(5*time.Second, "nothing lives on it", func() bool { return s.onNode("w3") == 0 })
		s.whole(10*time.Second, "web", 6)
		wantSoundHistory(s)
	})
}

// While nobody leads, nobody can be heard of, and cluster time stands still: no node is
// to blame for that, whoever watches, and whatever its own clock says.
func TestTheSilenceOfTheClusterIsNoNodes(t *testing.T) {
	long(t)
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 3)
		s.f.mayFail = true
		s.moveDuty(tenure.DutyControllers, s.c.Follower().Name())
		s.create(workload("web", 6, ""))
		s.whole(10*time.Second, "web", 6)
		for _, d := range []time.Duration{20 * time.Second, 2 * time.Minute} {
			for _, server := range s.c.Servers() {
				s.c.Isolate(server.Name())
			}
			time.Sleep(d)
			s.c.Heal()
			s.c.Settle()
			time.Sleep(20 * time.Second)
		}
		walk(t, s.c.Leader().Machine().View(), func(m *moment) {
			for _, x := range m.changes {
				if x.after == nil {
					continue
				}
				if x.ref.Kind == candor.KindInstances && instanceStatus(t, x.after).Phase.Ended() {
					t.Errorf("revision %d: %s is %s: %s", m.revision, x.ref, instanceStatus(t, x.after).Phase, x.cause.Message)
				}
				if x.ref.Kind == candor.KindNodes && x.cause != nil && x.cause.Duty == tenure.DutyControllers && nodeReason(t, x.after) == candor.WhyHeartbeatMissed {
					t.Errorf("revision %d: %s: %s", m.revision, x.ref, x.cause.Message)
				}
			}
		})
		s.whole(10*time.Second, "web", 6)
		wantSoundHistory(s)
	})
}
