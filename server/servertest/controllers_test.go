package servertest_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

func TestAWorkloadFollowsItsReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 3)
		s.create(workload("web", 3, ""))
		s.whole(10*time.Second, "web", 3)
		s.patch(workloadRef("web"), `{"replicas":9}`)
		s.whole(10*time.Second, "web", 9)
		s.patch(workloadRef("web"), `{"replicas":2}`)
		s.whole(10*time.Second, "web", 2)
		s.patch(workloadRef("web"), `{"replicas":0}`)
		s.whole(10*time.Second, "web", 0)
		s.patch(workloadRef("web"), `{"replicas":1}`)
		s.whole(10*time.Second, "web", 1)
		if n := wantSoundHistory(s); n < 10 {
			t.Errorf("%d decisions", n)
		}
	})
}

// An instance that somebody deletes, or whose process ends, is made anew, and nothing else
// happens.
func TestAnInstanceThatGoesIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 2)
		s.create(workload("web", 2, ""))
		s.whole(10*time.Second, "web", 2)
		first, _, _ := statusOf[candor.InstanceStatus](t, s.k, candor.Ref{Kind: candor.KindInstances, Namespace: "default", Name: "web-0"})
		s.remove(candor.Ref{Kind: candor.KindInstances, Namespace: "default", Name: "web-0"})
		s.eventually(10*time.Second, "another is there", func() bool {
			return s.count("web", func(o *candor.Object, _ *candor.InstanceStatus) bool { return o.Metadata.UID == first.Metadata.UID }) == 0
		})
		s.whole(10*time.Second, "web", 2)
		// A process that ends for good is made anew too, once it has lived for a while.
		time.Sleep(15 * time.Second)
		_, err := s.k.Observe(t.Context(), candor.Ref{Kind: candor.KindInstances, Namespace: "default", Name: "web-1"}, []byte(`{"state":"Exited","exitCode":3}`))
		noError(t, err)
		s.eventually(10*time.Second, "one has failed", func() bool { return s.status("web").Available < 2 })
		s.whole(30*time.Second, "web", 2)
		wantSoundHistory(s)
	})
}

func TestTheDeletionOfAWorkload(t *testing.T) {
	long(t)
	for name, x := range map[string]struct {
		propagation candor.Propagation
		stay        int
	}{
		"in the background": {candor.PropagateBackground, 0},
		"in the foreground": {candor.PropagateForeground, 0},
		"leaving orphans":   {candor.PropagateOrphan, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, 2)
				s.create(workload("web", 3, ""))
				s.whole(10*time.Second, "web", 3)
				s.remove(workloadRef("web"), client.WithPropagation(x.propagation))
				s.eventually(10*time.Second, "the workload is gone", func() bool {
					_, _, there := s.quiet("web")
					if x.propagation == candor.PropagateForeground && !there && s.count("web", anyInstance) > 0 {
						t.Error("it went before its instances")
					}
					return !there
				})
				s.eventually(10*time.Second, "what goes with it is gone", func() bool { return s.count("web", anyInstance) == x.stay })
				if x.stay == 0 {
					wantSoundHistory(s)
					return
				}
				time.Sleep(10 * time.Second)
				uids := map[string]bool{}
				for _, o := range s.list(candor.KindInstances) {
					uids[o.Metadata.UID] = true
					if len(o.Metadata.Owners) > 0 || o.Terminating() {
						t.Errorf("%s is no orphan: %+v", o.Metadata.Name, o.Metadata)
					}
				}
				// Who wants the same takes them over.
				s.create(workload("web", 3, ""))
				s.whole(10*time.Second, "web", 3)
				for _, o := range s.list(candor.KindInstances) {
					if !uids[o.Metadata.UID] || len(o.Metadata.Owners) != 1 {
						t.Errorf("%s was not adopted: %+v", o.Metadata.Name, o.Metadata.Owners)
					}
				}
				wantSoundHistory(s)
			})
		})
	}
}

func TestANamespaceTakesItsInstancesAlong(t *testing.T) {
	long(t)
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 2)
		s.create(namespace("shop"))
		for _, name := range []string{"web", "db"} {
			w := workload(name, 3, "")
			w.Metadata.Namespace = "shop"
			s.create(w)
		}
		ready := func(_ *candor.Object, i *candor.InstanceStatus) bool { return i.Conditions.True(candor.ConditionReady) }
		s.eventually(10*time.Second, "all are ready", func() bool { return s.count("web", ready) == 3 && s.count("db", ready) == 3 })
		s.remove(refOf("shop"))
		s.eventually(20*time.Second, "nothing is left", func() bool {
			return len(s.list(candor.KindInstances)) == 0 && len(s.list(candor.KindWorkloads)) == 0 &&
				!slices.ContainsFunc(s.list(candor.KindNamespaces), func(o *candor.Object) bool { return o.Metadata.Name == "shop" })
		})
		wantSoundHistory(s)
	})
}

func TestWhatNobodySelectsIsLeftAlone(t *testing.T) {
	long(t)
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 2)
		lonely := &candor.Object{
			APIVersion: candor.APIVersion, Kind: "Instance", Spec: []byte(`{"command":["serve"],"resources":{"cpu":"1"}}`),
			Metadata: candor.Metadata{Namespace: "default", Name: "lonely", Labels: map[string]string{"app": "other"}},
		}
		claimed := &candor.Object{
			APIVersion: candor.APIVersion, Kind: "Instance", Spec: []byte(`{"command":["serve"],"resources":{"cpu":"1"}}`),
			Metadata: candor.Metadata{Namespace: "default", Name: "web-0", Labels: map[string]string{"app": "other"}},
		}
		s.create(lonely)
		s.create(claimed)
		s.create(workload("web", 2, ""))
		s.create(disruptionBudget("nobody", "app=nobody", `"minAvailable":2`))
		s.eventually(10*time.Second, "two of its own", func() bool { return s.status("web").Available == 2 })
		names := map[string]string{}
		for _, o := range s.list(candor.KindInstances) {
			names[o.Metadata.Name] = instanceStatus(t, o).Node
		}
		if len(names) != 4 || names["lonely"] == "" || names["web-0"] == "" || names["web-1"] == "" || names["web-2"] == "" {
			t.Errorf("%v", names)
		}
		_, b, _ := statusOf[candor.DisruptionBudgetStatus](t, s.k, candor.Ref{Kind: candor.KindDisruptionBudgets, Namespace: "default", Name: "nobody"})
		if b.Expected != 0 || b.Allowed != 0 || b.ObservedGeneration == 0 {
			t.Errorf("a budget of nobody: %+v", b)
		}
		// A workload whose node selector matches no node has its instances, and none runs.
		s.create(workload("picky", 2, `,"nodeSelector":{"disk":"ssd"}`))
		s.eventually(10*time.Second, "it says that no node matches", func() bool {
			status := s.status("picky")
			c := status.Conditions.Get(candor.ConditionSchedulable)
			return c != nil && c.Status == candor.ConditionFalse && c.Reason == candor.WhyNoNodeMatches && strings.Contains(c.Message, "2 ") && status.Instances == 2
		})
		time.Sleep(20 * time.Second)
		if n := s.status("picky").Placed; n != 0 {
			t.Errorf("%d are placed", n)
		}
		wantSoundHistory(s)
	})
}
