package servertest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
)

func TestWhatNoNodeCouldTakeSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 2)
		s.create(workload("giant", 1, ""))
		s.patch(workloadRef("giant"), `{"template":{"resources":{"cpu":"64"}}}`)
		s.create(workload("picky", 2, `,"nodeSelector":{"disk":"ssd"}`))
		is := func(name string, status candor.ConditionStatus, reason string) func() bool {
			return func() bool {
				c := s.status(name).Conditions.Get(candor.ConditionSchedulable)
				return c != nil && c.Status == status && c.Reason == reason
			}
		}
		s.eventually(10*time.Second, "no node is large enough", is("giant", candor.ConditionFalse, candor.WhyNoNodeMatches))
		s.eventually(10*time.Second, "no node has the label", is("picky", candor.ConditionFalse, candor.WhyNoNodeMatches))
		s.f.Add("w3", map[string]string{"disk": "ssd"})
		s.eventually(10*time.Second, "one has", is("picky", candor.ConditionTrue, candor.WhySomeNodeMatches))
		s.whole(10*time.Second, "picky", 2)
		if s.onNode("w3") != 2 {
			t.Errorf("%d are on the node that matches", s.onNode("w3"))
		}
		s.patch(workloadRef("giant"), `{"template":{"resources":{"cpu":"3"}}}`)
		s.eventually(10*time.Second, "it fits now", is("giant", candor.ConditionTrue, candor.WhySomeNodeMatches))
		s.whole(10*time.Second, "giant", 1)
		wantSoundHistory(s)
	})
}

// What does not fit for lack of room alone is schedulable, waits without being looked at,
// and is placed as soon as there is room.
func TestWhatWaitsForRoomIsPlacedWhenThereIs(t *testing.T) {
	long(t)
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 1)
		s.create(workload("web", 10, ""))
		s.eventually(10*time.Second, "four are placed", func() bool { return s.status("web").Available == 4 })
		before := s.revision()
		time.Sleep(5 * time.Minute)
		quiet := 0
		walk(t, s.c.Leader().Machine().View(), func(m *moment) {
			if m.revision > before+20 {
				quiet += len(m.changes)
			}
		})
		if quiet > 0 {
			t.Errorf("%d versions were made while nothing happened", quiet)
		}
		if c := s.status("web").Conditions.Get(candor.ConditionSchedulable); c.Status != candor.ConditionTrue {
			t.Errorf("%+v", c)
		}
		began := time.Now()
		s.f.Add("w2", nil)
		s.eventually(10*time.Second, "eight are placed", func() bool { return s.status("web").Placed == 8 })
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("it took %s", took)
		}
		s.create(workload("small", 1, ""))
		s.patch(workloadRef("web"), `{"replicas":7}`)
		s.whole(10*time.Second, "web", 7)
		s.whole(10*time.Second, "small", 1)
		if n := wantSoundHistory(s); n > 40 {
			t.Errorf("%d decisions for 11 instances", n)
		}
	})
}
