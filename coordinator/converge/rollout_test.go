package converge

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/informer"
)

// TestARolloutKeepsItsBounds changes the template of what runs, again and again before
// it is through, while everything goes on step by step in any order; every write of the
// workload controller keeps the bounds of the strategy.
func TestARolloutKeepsItsBounds(t *testing.T) {
	work := candor.Ref{Kind: candor.KindWorkloads, Namespace: "default", Name: "web"}
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		w.judge = func(before map[candor.Ref]*candor.Object, write controller.Write) { w.keeps(t, before, write, true) }
		w.addNode("w1")
		w.addNode("w2")
		spec := randomSpec(t)
		spec.Replicas = rapid.Int32Range(1, 9).Draw(t, "wanted")
		w.addWorkload("web", spec)
		w.settle()
		for range rapid.IntRange(1, 3).Draw(t, "changes") {
			w.intend(t, work)
			if w.objects[work] == nil {
				return
			}
			w.steps(t, work)
		}
		w.calm(t)
		w.isAsWanted(t)
	})
}

// steps lets the world go on in small steps around one workload.
func (w *world) steps(t *rapid.T, work candor.Ref) {
	all := w.controllers()
	lifecycle, rollout := all[1], all[3]
	for range rapid.IntRange(5, 40).Draw(t, "small steps") {
		switch rapid.IntRange(0, 9).Draw(t, "small") {
		case 0:
			w.advance(time.Duration(rapid.Int64Range(1, 9).Draw(t, "seconds")) * time.Second)
		case 1, 2:
			w.place()
			w.place()
		case 3, 4:
			for n := rapid.IntRange(1, 6).Draw(t, "worked"); n > 0 && w.work(); n-- {
			}
		case 5, 6:
			for _, ref := range w.refs(candor.KindInstances) {
				w.runOn(t, lifecycle, ref, w.store.Read())
			}
		case 7:
			w.loseOne(t)
		default:
			view := w.store.Read()
			for range rapid.IntRange(1, 3).Draw(t, "holders") {
				// Several that believe: all of them decide on the same view.
				w.runOnce(t, rollout, work, view)
			}
		}
	}
}

func (w *world) runOn(t *rapid.T, c controller.Controller, ref candor.Ref, view *informer.Reader) {
	if _, _, err := w.run(c, ref, view, -1, w.judge); err != nil {
		t.Fatalf("%s of %s: %v", c.Name, ref, err)
	}
}

// runOnce runs a controller on a view that may be of the past by now: what it does is
// done, or refused.
func (w *world) runOnce(t *rapid.T, c controller.Controller, ref candor.Ref, view *informer.Reader) {
	fresh := view == w.store.Read()
	judge := func(before map[candor.Ref]*candor.Object, write controller.Write) {
		w.keeps(t, before, write, true)
		if !fresh {
			t.Fatalf("%s of %s wrote on a view of the past: %s", c.Name, ref, write.Message)
		}
	}
	_, _, err := w.run(c, ref, view, -1, judge)
	if err != nil && fresh {
		t.Fatalf("%s of %s: %v", c.Name, ref, err)
	}
}
