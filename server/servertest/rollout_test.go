package servertest_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
)

// template is a patch of a workload's template.
func template(command string) string {
	return fmt.Sprintf(`{"template":{"command":[%q]}}`, command)
}

// wantSteady wants of every revision from one on that no fewer of a workload were
// available than its strategy allows, and no more lived.
func wantSteady(s *site, name string, from uint64) {
	s.Helper()
	walk(s.T, s.c.Leader().Machine().View(), func(m *moment) {
		w := m.objects[workloadRef(name)]
		if m.revision < from || w == nil {
			return
		}
		least, most := limits(s.T, w)
		all, available := living(s.T, m.objects, w), 0
		for _, o := range all {
			if instanceStatus(s.T, o).Conditions.True(candor.ConditionReady) {
				available++
			}
		}
		if available < least || len(all) > most {
			s.Errorf("revision %d: %d are available, %d live; the strategy says %d and %d", m.revision, available, len(all), least, most)
		}
	})
}

func (s *site) revision() uint64 { return s.c.Leader().Machine().View().Token().Revision }

func (s *site) updated(name string, within time.Duration) {
	s.Helper()
	s.eventually(within, name+" is of one template", func() bool {
		o, status, _ := s.quiet(name)
		return status.ObservedGeneration == o.Metadata.Generation && status.Phase == "Available" && status.Updated == status.Instances && status.Stable == status.Revision
	})
}

func TestARollingUpdateKeepsItsBounds(t *testing.T) {
	for _, x := range []struct{ name, update string }{
		{"by default", `{}`},
		{"one more at a time", `{"maxUnavailable":0,"maxSurge":1}`},
		{"one fewer at a time", `{"maxUnavailable":1,"maxSurge":0}`},
		{"all at once", `{"maxUnavailable":"100%","maxSurge":"100%"}`},
		{"slowly", `{"maxUnavailable":1,"maxSurge":1,"minReadySeconds":5}`},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, 5)
				w := workload("web", 7, "")
				w.Spec = append(w.Spec[:len(w.Spec)-1], fmt.Sprintf(`,"update":%s}`, x.update)...)
				s.create(w)
				s.whole(30*time.Second, "web", 7)
				from := s.revision()
				for i := range 2 {
					s.patch(workloadRef("web"), template(fmt.Sprint("serve-", i)))
					s.updated("web", 3*time.Minute)
				}
				wantSteady(s, "web", from)
				wantSoundHistory(s)
			})
		})
	}
}

func TestARolloutThatDoesNotComeUp(t *testing.T) {
	long(t)
	for _, rollback := range []bool{true, false} {
		t.Run(fmt.Sprint("rollback ", rollback), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, 4)
				w := workload("web", 4, "")
				w.Spec = append(w.Spec[:len(w.Spec)-1], fmt.Sprintf(`,"update":{"deadlineSeconds":30,"rollback":%t,"maxUnavailable":1,"maxSurge":1}}`, rollback)...)
				s.create(w)
				s.whole(10*time.Second, "web", 4)
				stable := s.status("web").Revision
				from := s.revision()
				s.patch(workloadRef("web"), template("break"))
				s.eventually(time.Minute, "it is stalled", func() bool {
					_, status, _ := s.quiet("web")
					return status.Phase == "Stalled"
				})
				reason := candor.WhyDeadlineExceeded
				if rollback {
					reason = candor.WhyRolledBack
					s.eventually(time.Minute, "all are as before", func() bool { return s.status("web").Available == 4 })
				}
				time.Sleep(time.Minute)
				status := s.status("web")
				if c := status.Conditions.Get(candor.ConditionProgressing); c.Reason != reason || status.Stable != stable {
					t.Errorf("%+v", status)
				}
				ofStable := func(o *candor.Object, _ *candor.InstanceStatus) bool {
					return o.Metadata.Labels[candor.LabelRevision] == stable && !o.Terminating()
				}
				if n := s.count("web", ofStable); rollback && n != 4 || n < 3 {
					t.Errorf("%d are of the stable template", n)
				}
				// A template that works ends it.
				s.patch(workloadRef("web"), template("serve-better"))
				s.updated("web", time.Minute)
				s.whole(10*time.Second, "web", 4)
				wantSteady(s, "web", from)
				wantSoundHistory(s)
			})
		})
	}
}

func TestAPausedRolloutStays(t *testing.T) {
	long(t)
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 4)
		w := workload("web", 8, "")
		w.Spec = append(w.Spec[:len(w.Spec)-1], `,"update":{"minReadySeconds":5,"maxUnavailable":1,"maxSurge":1}}`...)
		s.create(w)
		s.whole(30*time.Second, "web", 8)
		from := s.revision()
		s.patch(workloadRef("web"), template("serve-2"))
		old := s.status("web").Stable
		ofOld := func(o *candor.Object, _ *candor.InstanceStatus) bool {
			return o.Metadata.Labels[candor.LabelRevision] == old && !o.Terminating()
		}
		s.eventually(time.Minute, "half are new", func() bool { return s.count("web", ofOld) <= 4 })
		s.patch(workloadRef("web"), `{"paused":true}`)
		s.eventually(10*time.Second, "it is paused", func() bool { return s.status("web").Phase == "Paused" })
		time.Sleep(10 * time.Second)
		rest := s.count("web", ofOld)
		time.Sleep(2 * time.Minute)
		if n := s.count("web", ofOld); n != rest || n == 0 {
			t.Errorf("%d are of the old template; %d were when it was paused", n, rest)
		}
		s.patch(workloadRef("web"), `{"paused":false}`)
		s.updated("web", 2*time.Minute)
		wantSteady(s, "web", from)
		wantSoundHistory(s)
	})
}

// A rollout under way that is changed again leads to the newest template, and no
// instance of one between remains.
func TestARolloutIsOvertaken(t *testing.T) {
	long(t)
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 5)
		s.create(workload("web", 8, ""))
		s.whole(10*time.Second, "web", 8)
		from := s.revision()
		for i := range 6 {
			s.patch(workloadRef("web"), template(fmt.Sprint("serve-", i)))
			time.Sleep(time.Duration(i*17) * time.Millisecond)
		}
		s.updated("web", time.Minute)
		for _, o := range s.list(candor.KindInstances) {
			var spec candor.InstanceSpec
			if err := json.Unmarshal(o.Spec, &spec); err != nil || spec.Command[0] != "serve-5" {
				t.Errorf("%s runs %v", o.Metadata.Name, spec.Command)
			}
		}
		wantSteady(s, "web", from)
		wantSoundHistory(s)
	})
}
