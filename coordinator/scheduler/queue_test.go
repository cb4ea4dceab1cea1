package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
)

// Whatever happens, in whatever order: once the queue is empty, nothing that fits is
// left waiting. Decisions that are proposed come true, are refused, or are lost.
func TestNothingThatFitsIsLeftBlocked(t *testing.T) {
	awake := 0
	check(t, func(r *rapid.T, m *Model, u *universe) {
		s := &sim{r: r, t: t, m: m, u: u, q: NewQueue(m), revision: 30}
		s.drain()
		for range rapid.IntRange(1, 12).Draw(r, "events") {
			s.happen()
			if rapid.Bool().Draw(r, "decide") {
				s.drain()
			}
		}
		s.drain()
		s.nothingFits()
		awake += s.woken
	})
	if t.Log(awake, "woken"); awake < 50 && !testing.Short() {
		t.Error("too few are woken for the property to say much")
	}
}

type sim struct {
	r        *rapid.T
	t        *testing.T
	m        *Model
	u        *universe
	q        *Queue
	revision uint64
	woken    int
	drawn    int
}

func (s *sim) apply(kind candor.KindName, obj *candor.Object) {
	s.revision++
	obj.Metadata.ResourceVersion = s.revision
	s.woken += len(s.q.Woken(mustApply(s.t, s.m, kind, obj)))
}

func (s *sim) remove(ref candor.Ref) { s.woken += len(s.q.Woken(s.m.Remove(ref))) }

// happen is one thing that somebody else does.
func (s *sim) happen() {
	r, u := s.r, s.u
	nodes := slices.Sorted(maps.Keys(u.nodes))
	names := slices.Sorted(maps.Keys(u.instances))
	s.drawn++
	switch what := rapid.IntRange(0, 8).Draw(r, "what"); {
	case what == 0:
		name := fmt.Sprintf("x%d", s.drawn)
		u.nodes[name] = drawNode(r, name)
		s.apply(candor.KindNodes, nodeObject(u.nodes[name], 0))
	case what <= 2 && len(nodes) > 0:
		name := rapid.SampledFrom(nodes).Draw(r, "node")
		n := drawNode(r, name)
		if old := u.nodes[name].capacity; old != nil {
			n.capacity = old
		}
		u.nodes[name] = n
		s.apply(candor.KindNodes, nodeObject(n, 0))
	case what == 3 && len(names) > 0:
		name := rapid.SampledFrom(names).Draw(r, "gone")
		delete(u.instances, name)
		s.remove(instanceRef(name))
	case what <= 5 && len(names) > 0:
		name := rapid.SampledFrom(names).Draw(r, "changed")
		i := u.instances[name]
		switch rapid.IntRange(0, 3).Draw(r, "how") {
		case 0:
			i.ending = true
		case 1:
			i.ended = i.node != ""
		default:
			if i.node == "" {
				i.spec = drawSpec(r)
			}
		}
		u.instances[name] = i
		obj := instanceObject(i, 0)
		obj.Metadata.Generation = s.revision
		s.apply(candor.KindInstances, obj)
	case what == 6:
		name := fmt.Sprintf("y%d", s.drawn)
		u.instances[name] = drawInstance(r, name, nil)
		s.apply(candor.KindInstances, instanceObject(u.instances[name], 0))
	case what == 7 && len(nodes) > 0:
		name := rapid.SampledFrom(nodes).Draw(r, "lost")
		delete(u.nodes, name)
		s.remove(candor.Ref{Kind: candor.KindNodes, Name: name})
	default:
		workload := workloadsDrawn.Draw(r, "budget")
		u.budgets[workload] = rapid.Int32Range(0, 2).Draw(r, "allowed")
		s.apply(candor.KindDisruptionBudgets, budgetObject(workload, "candor/workload="+workload, u.budgets[workload], 0))
	}
}

// drain decides until nothing is active; the turn has its own mind.
func (s *sim) drain() {
	for rounds := 0; ; rounds++ {
		if rounds == 200 {
			s.r.Fatal("the queue does not come to rest")
		}
		s.revision++
		s.m.Advance(candor.Token{Term: 1, Index: s.revision, Revision: s.revision})
		batch := Batch(s.m, s.q.Next(rapid.IntRange(1, 4).Draw(s.r, "limit")))
		if len(batch) == 0 {
			if active, proposed, _ := s.q.Len(); active+proposed > 0 {
				s.r.Fatalf("%d active and %d proposed are in nobody's hands", active, proposed)
			}
			return
		}
		s.q.Decided(batch)
		if rapid.IntRange(0, 9).Draw(s.r, "lost") == 0 {
			s.q.Retry(batch)
			continue
		}
		for i := range batch {
			s.turn(&batch[i], rounds < 20 && rapid.IntRange(0, 6).Draw(s.r, "refused") == 0)
		}
	}
}

func (s *sim) turn(o *Outcome, refused bool) {
	i, ok := s.u.instances[o.Ref.Name]
	if !ok || i.node != "" {
		return
	}
	if o.Decision.Verdict == candor.VerdictPlaced && refused {
		obj := instanceObject(i, 0)
		d := o.Decision
		d.Verdict, d.Refusal = candor.VerdictRefused, "CAPACITY_EXCEEDED"
		obj.Status = mustJSON(candor.InstanceStatus{Phase: candor.InstancePending, Nominated: i.nominated, Decision: &d})
		s.apply(candor.KindInstances, obj)
		return
	}
	i.nominated = ""
	if o.Decision.Verdict == candor.VerdictPlaced {
		i.node = o.Decision.Node
	}
	if o.Decision.Verdict == candor.VerdictNominated {
		i.nominated = o.Decision.Node
	}
	s.u.instances[i.name] = i
	s.apply(candor.KindInstances, s.decided(i, o))
	for _, v := range o.Victims {
		victim := s.u.instances[v.Ref.Name]
		victim.ending = true
		s.u.instances[victim.name] = victim
		s.apply(candor.KindInstances, instanceObject(victim, 0))
	}
	for _, use := range o.Budgets {
		s.u.budgets[use.Ref.Name] = use.Status.Allowed
		s.apply(candor.KindDisruptionBudgets, budgetObject(use.Ref.Name, "candor/workload="+use.Ref.Name, use.Status.Allowed, 0))
	}
}

func (s *sim) decided(i instanceSetup, o *Outcome) *candor.Object {
	obj := instanceObject(i, 0)
	status := candor.InstanceStatus{Phase: candor.InstancePending, Nominated: i.nominated, Decision: &o.Decision}
	if i.node != "" {
		status.Phase, status.Node, status.NodeUID = candor.InstancePlaced, i.node, o.NodeUID
	}
	obj.Status = mustJSON(status)
	if inst := s.m.instances[o.Ref]; inst != nil {
		obj.Metadata.Generation = inst.generation
	}
	return obj
}

// nothingFits asks every blocked instance by brute force, on a model made anew.
func (s *sim) nothingFits() {
	objects := s.u.objects(90)
	m := build(s.t, objects)
	for _, ref := range m.Pending() {
		o, err := Decide(m, ref, Brief)
		if err != nil {
			s.r.Fatal(err)
		}
		w, blocked := s.q.Waiting(ref)
		if !blocked {
			s.r.Fatalf("%s is pending and not in the queue", ref)
		}
		if o.Decision.Verdict == candor.VerdictPlaced {
			s.r.Fatalf("%s fits on %s and is left blocked: %v, woken by %v", ref, o.Decision.Node, w.Reasons, w.Wakes)
		}
	}
}
