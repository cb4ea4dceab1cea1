package converge

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/budgets"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/instances"
	"github.com/candor-plane/candor/coordinator/nodes"
	"github.com/candor-plane/candor/coordinator/workloads"
)

// shared is a world that goroutines use in turns, whose cluster time is the bubble's.
type shared struct {
	mu    sync.Mutex
	world *world
	start time.Time
}

func (s *shared) Write(ctx context.Context, write controller.Write) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pass()
	return s.world.Write(ctx, write)
}

func (s *shared) Beat(uid string) (int64, time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.Beat(uid)
}

func (s *shared) now() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pass()
}

func (s *shared) pass() int64 {
	s.world.now = 100*second + int64(time.Since(s.start))
	return s.world.now
}

// within lets workers and the one who places go on for so long, each second, until it
// holds.
func (s *shared) within(t *testing.T, limit time.Duration, what string, holds func(w *world) bool) {
	t.Helper()
	for begun := time.Now(); time.Since(begun) < limit; time.Sleep(time.Second) {
		synctest.Wait()
		s.mu.Lock()
		s.pass()
		s.world.beat()
		for s.world.place() || s.world.work() {
		}
		done := holds(s.world)
		s.mu.Unlock()
		if done {
			return
		}
	}
	t.Fatalf("not within %s: %s\n%s", limit, what, s.world.show())
}

// TestTheRuntimeCallsThemForWhatMatters runs the controllers in their runtime, where
// nothing but their declared inputs and their own delays calls them.
func TestTheRuntimeCallsThemForWhatMatters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shared{world: newWorld(), start: time.Now()}
		w := s.world
		runtime, err := controller.New(controller.Config{
			Store: w.store, Writer: s, Logger: hclog.NewNullLogger(),
			Controllers: []controller.Controller{
				nodes.Controller(nodes.Settings{Store: w.store, Leases: s, Now: s.now}),
				instances.Controller(instances.Settings{Store: w.store, Now: s.now}),
				budgets.Controller(w.store),
				workloads.Controller(workloads.Settings{Store: w.store, Now: s.now, Schedulable: schedulable}),
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := runtime.Run(ctx); err != nil {
				t.Errorf("the runtime ended: %v", err)
			}
		})
		defer running.Wait()
		defer cancel()
		s.story(t)
	})
}

func (s *shared) change(what func(w *world)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pass()
	what(s.world)
}

func (s *shared) story(t *testing.T) {
	t.Helper()
	web := candor.Ref{Kind: candor.KindWorkloads, Namespace: "default", Name: "web"}
	available := func(w *world) bool {
		wl := w.workload(web)
		return wl.Status.Phase == "Available" && wl.Status.ObservedGeneration == wl.Meta().Generation
	}
	s.change(func(w *world) {
		w.addNode("w1")
		w.addNode("w2")
		w.addNode("w3")
		w.addWorkload("web", candor.WorkloadSpec{
			Replicas: 20, Update: candor.UpdateStrategy{MinReadySeconds: 3}, Template: candor.InstanceTemplate{Command: []string{"run"}},
		})
		w.addBudget("web", candor.DisruptionBudgetSpec{Instances: "candor/workload=web", MaxUnavailable: &candor.Share{Count: 2}})
	})
	s.within(t, 15*time.Second, "20 are available", available)
	s.change(func(w *world) {
		w.respec(web, func(spec *candor.WorkloadSpec) { spec.Template.Command = []string{"run", "2"} })
	})
	s.within(t, 60*time.Second, "the new template is out", available)
	s.change(func(w *world) { w.dead["w1"] = true })
	s.within(t, 17*time.Second, "w1 is not ready", func(w *world) bool {
		return w.node(candor.Ref{Kind: candor.KindNodes, Name: "w1"}).Status.Phase == "NotReady"
	})
	s.within(t, 45*time.Second, "others took their place", available)
	s.change(func(w *world) {
		w.renode(candor.Ref{Kind: candor.KindNodes, Name: "w2"}, func(spec *candor.NodeSpec) { spec.Drain = true })
	})
	s.within(t, 60*time.Second, "w2 is drained", func(w *world) bool {
		return w.node(candor.Ref{Kind: candor.KindNodes, Name: "w2"}).Status.Phase == "Drained"
	})
	s.within(t, 15*time.Second, "20 are available on w3", available)
	s.change(func(w *world) { w.must(controller.Delete{Ref: web}) })
	s.within(t, 15*time.Second, "nothing is left", func(w *world) bool { return len(w.refs(candor.KindInstances)) == 0 })
}
