package servertest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
)

func TestTheUrgentTakesWhatBudgetsAllow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 2)
		s.create(priorityClass("low", 1, false))
		s.create(priorityClass("high", 100, true))
		s.create(disruptionBudget("batch", "candor/workload=batch", `"minAvailable":5`))
		s.create(workload("batch", 8, `,"priorityClass":"low"`))
		s.whole(10*time.Second, "batch", 8)
		s.eventually(10*time.Second, "three may be taken", func() bool { return s.budget("batch").Allowed == 3 })
		from := s.revision()
		s.create(workload("web", 5, `,"priorityClass":"high"`))
		s.eventually(30*time.Second, "three have taken places", func() bool { return s.status("web").Available == 3 })
		time.Sleep(30 * time.Second)
		if web, batch := s.status("web"), s.status("batch"); web.Available != 3 || batch.Available != 5 || batch.Instances != 8 {
			t.Errorf("web %+v, batch %+v", web, batch)
		}
		wantAvailable(s, "batch", from, 5)
		waiting := s.count("web", func(_ *candor.Object, i *candor.InstanceStatus) bool {
			return i.Node == "" && i.Decision != nil && i.Decision.Verdict == candor.VerdictNothingFits
		})
		if waiting != 2 {
			t.Errorf("%d of web say that nothing fits", waiting)
		}
		// The budget goes, and with it what holds them.
		s.remove(candor.Ref{Kind: candor.KindDisruptionBudgets, Namespace: "default", Name: "batch"})
		s.whole(30*time.Second, "web", 5)
		// Those who had to go wait, and come back where there is room again.
		s.patch(workloadRef("web"), `{"replicas":1}`)
		s.eventually(30*time.Second, "seven of eight run", func() bool { return s.status("batch").Available == 7 })
		s.f.Add("w3", nil)
		s.whole(30*time.Second, "batch", 8)
		wantSoundHistory(s)
	})
}

// One preempts the other nowhere: equals wait for each other, and who may not preempt
// waits too.
func TestEqualsDoNotPreempt(t *testing.T) {
	long(t)
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 1)
		s.create(priorityClass("high", 100, true))
		s.create(priorityClass("patient", 200, false))
		s.create(workload("first", 4, `,"priorityClass":"high"`))
		s.whole(10*time.Second, "first", 4)
		s.create(workload("second", 2, `,"priorityClass":"high"`))
		s.create(workload("third", 2, `,"priorityClass":"patient"`))
		time.Sleep(30 * time.Second)
		if s.status("first").Available != 4 || s.status("second").Placed != 0 || s.status("third").Placed != 0 {
			t.Errorf("%+v", s.status("first"))
		}
		s.patch(workloadRef("first"), `{"replicas":2}`)
		s.eventually(10*time.Second, "the room is taken", func() bool { return s.status("second").Available+s.status("third").Available == 2 })
		if s.status("third").Available != 2 || s.status("first").Available != 2 {
			t.Errorf("of first %d, of third %d", s.status("first").Available, s.status("third").Available)
		}
		wantSoundHistory(s)
	})
}
