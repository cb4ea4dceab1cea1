package converge

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/budgets"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/instances"
	"github.com/candor-plane/candor/coordinator/nodes"
	"github.com/candor-plane/candor/coordinator/workloads"
	"github.com/candor-plane/candor/informer"
)

// errCrashed is what a controller that crashes gets in place of its next write.
var errCrashed = candor.Errorf(candor.ReasonShuttingDown, "crashed")

// crashing lets so many writes through, and then none; it notes what passed.
type crashing struct {
	world *world
	name  string
	left  int
	wrote int
	// check is told of each write and of the objects before it.
	check func(before map[candor.Ref]*candor.Object, write controller.Write)
}

func (c *crashing) Write(ctx context.Context, write controller.Write) (uint64, error) {
	if c.left == 0 {
		return 0, errCrashed
	}
	c.left--
	if write.Reason == "" || write.Message == "" || write.Because == nil || write.Because.Revision == 0 || write.Read.IsZero() {
		panic(fmt.Sprintf("%s: a write without provenance: %+v", c.name, write))
	}
	line := c.world.describe(c.name, write)
	before := maps.Clone(c.world.objects)
	revision, err := c.world.Write(ctx, write)
	if err == nil {
		c.wrote++
		c.world.log = append(c.world.log, line)
		if c.check != nil {
			c.check(before, write)
		}
	}
	return revision, err
}

// schedulable says that some node has every label that the template selects by.
func schedulable(view *informer.Reader, t *candor.InstanceTemplate) (bool, string) {
	for item := range view.List(candor.KindNodes, "") {
		fits := true
		for key, value := range t.NodeSelector {
			fits = fits && item.Metadata.Labels[key] == value
		}
		if fits {
			return true, "node " + item.Metadata.Name + " could take one"
		}
	}
	return false, "no node has the labels"
}

func (w *world) controllers() []controller.Controller {
	clock := func() int64 { return w.now }
	return []controller.Controller{
		nodes.Controller(nodes.Settings{Store: w.store, Leases: w, Now: clock}),
		instances.Controller(instances.Settings{Store: w.store, Now: clock}),
		budgets.Controller(w.store),
		workloads.Controller(workloads.Settings{Store: w.store, Now: clock, Schedulable: schedulable}),
	}
}

// run reconciles one key on a view, and crashes after so many writes.
func (w *world) run(c controller.Controller, ref candor.Ref, view *informer.Reader, writes int, check func(map[candor.Ref]*candor.Object, controller.Write)) (wrote int, result controller.Result, err error) {
	writer := &crashing{world: w, name: c.Name, left: writes, check: check}
	result, err = c.Make(writer).Reconcile(context.Background(), controller.Request{Ref: ref, View: view})
	return writer.wrote, result, err
}

// round runs every controller for every key it is about on the newest view; it says
// whether anything was written.
func (w *world) round() (wrote bool) {
	for _, c := range w.controllers() {
		for _, ref := range w.refs(c.Inputs[0].Kind) {
			n, _, err := w.run(c, ref, w.store.Read(), -1, w.judge)
			if err != nil && candor.ReasonOf(err) != candor.ReasonConflict {
				panic(err)
			}
			wrote = wrote || n > 0
		}
	}
	return wrote
}

// settle lets everybody do what they have to do now, until nobody has.
func (w *world) settle() {
	for range 10_000 {
		moved := w.round()
		for w.place() {
			moved = true
		}
		for w.work() {
			moved = true
		}
		if !moved {
			return
		}
	}
	panic("the world does not come to rest:\n" + strings.Join(w.log[max(0, len(w.log)-40):], "\n"))
}

// describe is a write in one line.
func (w *world) describe(name string, write controller.Write) string {
	var parts []string
	for _, op := range write.Ops {
		ref := op.Target()
		switch op := op.(type) {
		case controller.Create:
			parts = append(parts, "create "+ref.Name)
		case controller.Update:
			parts = append(parts, "update "+ref.Name)
		case controller.Delete:
			parts = append(parts, "delete "+ref.Name)
		case controller.UpdateStatus:
			parts = append(parts, "status of "+ref.Kind.Plural()+"/"+ref.Name+w.headline(op))
		}
	}
	return fmt.Sprintf("%s %s: %s\n    %s (because %s)", name, write.Reason, write.Message, strings.Join(parts, ", "), write.Because.Ref)
}
