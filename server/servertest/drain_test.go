package servertest_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
)

func TestACordonedNodeTakesNothingNew(t *testing.T) {
	long(t)
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 2)
		s.create(workload("web", 4, ""))
		s.whole(10*time.Second, "web", 4)
		s.patch(nodeRef("w1"), `{"unschedulable":true}`)
		s.patch(workloadRef("web"), `{"replicas":6}`)
		s.whole(10*time.Second, "web", 6)
		if s.onNode("w1") != 2 || s.onNode("w2") != 4 {
			t.Errorf("%d and %d", s.onNode("w1"), s.onNode("w2"))
		}
		s.patch(workloadRef("web"), `{"replicas":8}`)
		s.eventually(10*time.Second, "two wait", func() bool { return s.status("web").Instances == 8 && s.status("web").Placed == 6 })
		time.Sleep(10 * time.Second)
		s.patch(nodeRef("w1"), `{"unschedulable":false}`)
		s.whole(10*time.Second, "web", 8)
		wantSoundHistory(s)
	})
}

// wantAvailable wants of every revision from one on that so many instances of a workload
// were ready and not ending.
func wantAvailable(s *site, name string, from uint64, least int) {
	s.Helper()
	walk(s.T, s.c.Leader().Machine().View(), func(m *moment) {
		w := m.objects[workloadRef(name)]
		if m.revision < from || w == nil {
			return
		}
		ready := 0
		for _, o := range living(s.T, m.objects, w) {
			if instanceStatus(s.T, o).Conditions.True(candor.ConditionReady) {
				ready++
			}
		}
		if ready < least {
			s.Errorf("revision %d: %d are ready, %d are to be", m.revision, ready, least)
		}
	})
}

func (s *site) budget(name string) *candor.DisruptionBudgetStatus {
	s.Helper()
	_, status, _ := statusOf[candor.DisruptionBudgetStatus](s.T, s.k, candor.Ref{Kind: candor.KindDisruptionBudgets, Namespace: "default", Name: name})
	return status
}

func TestADrainKeepsTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 4)
		s.create(disruptionBudget("web", "candor/workload=web", `"minAvailable":7`))
		s.create(workload("web", 8, ""))
		s.whole(10*time.Second, "web", 8)
		s.eventually(10*time.Second, "one may be taken", func() bool { return s.budget("web").Allowed == 1 })
		from := s.revision()
		for _, node := range []string{"w1", "w2"} {
			s.patch(nodeRef(node), `{"drain":true}`)
		}
		for _, node := range []string{"w1", "w2"} {
			s.eventually(time.Minute, node+" is empty", func() bool {
				return s.nodeIs(node, candor.ConditionDrained, candor.ConditionTrue, candor.WhyNothingLeft) && s.onNode(node) == 0
			})
		}
		s.whole(10*time.Second, "web", 8)
		wantAvailable(s, "web", from, 7)
		s.eventually(10*time.Second, "the budget is as before", func() bool {
			b := s.budget("web")
			return b.Allowed == 1 && len(b.Disrupted) == 0 && b.Healthy == 8
		})
		wantSoundHistory(s)
	})
}

func TestADrainThatABudgetHoldsSaysSo(t *testing.T) {
	long(t)
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 3)
		s.create(disruptionBudget("web", "candor/workload=web", `"maxUnavailable":0`))
		s.create(workload("web", 6, ""))
		s.whole(10*time.Second, "web", 6)
		there := s.onNode("w1")
		s.patch(nodeRef("w1"), `{"drain":true}`)
		s.eventually(10*time.Second, "it says that the budget holds", func() bool {
			return s.nodeIs("w1", candor.ConditionDrained, candor.ConditionFalse, candor.WhyBudgetsHold)
		})
		time.Sleep(time.Minute)
		if n := s.onNode("w1"); n != there || n == 0 {
			t.Errorf("%d of %d are left", n, there)
		}
		o, _, _ := statusOf[candor.NodeStatus](t, s.k, nodeRef("w1"))
		var status candor.NodeStatus
		noError(t, json.Unmarshal(o.Status, &status))
		if c := status.Conditions.Get(candor.ConditionDrained); !strings.Contains(c.Message, "web") || !strings.Contains(c.Message, "6") {
			t.Errorf("%q names neither the budget nor the count", c.Message)
		}
		from := s.revision()
		s.patch(candor.Ref{Kind: candor.KindDisruptionBudgets, Namespace: "default", Name: "web"}, `{"maxUnavailable":1}`)
		s.eventually(time.Minute, "it is empty", func() bool { return s.onNode("w1") == 0 })
		s.whole(10*time.Second, "web", 6)
		wantAvailable(s, "web", from, 5)
		// The end of the drain lets it take something again.
		s.patch(nodeRef("w1"), `{"drain":false}`)
		s.patch(workloadRef("web"), `{"replicas":9}`)
		s.whole(10*time.Second, "web", 9)
		if n := s.onNode("w1"); n == 0 {
			t.Error("nothing is on it again")
		}
		wantSoundHistory(s)
	})
}

// Rollout, drain and a budget at the same time: each asks before it takes.
func TestADrainInTheMiddleOfARollout(t *testing.T) {
	long(t)
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 5)
		s.create(disruptionBudget("web", "candor/workload=web", `"maxUnavailable":2`))
		s.create(workload("web", 10, ""))
		s.whole(10*time.Second, "web", 10)
		s.patch(workloadRef("web"), template("serve-2"))
		s.patch(nodeRef("w1"), `{"drain":true}`)
		s.patch(nodeRef("w3"), `{"drain":true}`)
		s.updated("web", 2*time.Minute)
		s.eventually(time.Minute, "both are empty", func() bool { return s.onNode("w1")+s.onNode("w3") == 0 })
		s.whole(time.Minute, "web", 10)
		wantSoundHistory(s)
	})
}
