package server

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator"
	"github.com/candor-plane/candor/coordinator/budgets"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/instances"
	"github.com/candor-plane/candor/coordinator/nodes"
	"github.com/candor-plane/candor/coordinator/workloads"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/informer"
)

// controllersDuty makes what is desired real, as far as writing objects goes.
type controllersDuty struct{ s *Server }

func (d *controllersDuty) Name() string { return tenure.DutyControllers }

func (d *controllersDuty) Run(ctx context.Context, g *coordinator.Grant) error {
	c := d.s.mirror.use()
	defer d.s.mirror.leave(c)
	runtime, err := controller.New(controller.Config{
		Store: c.store, Writer: &dutyWriter{d.s, g}, Logger: d.s.logger.Named("controllers"), Controllers: d.s.builtInControllers(c.store),
	})
	if err != nil {
		return err
	}
	d.s.controllers.Store(runtime)
	defer d.s.controllers.Store(nil)
	heard := &hearing{beats: beats{d.s}, store: c.store, runtime: runtime}
	return c.whileCopied(ctx, heard.while(runtime.Run))
}

// now is cluster time as far as this node has heard of it: where it does not lead, not
// what has passed on its own clock since, for a silence that nobody could break would
// count as that of each worker.
func (d *controllersDuty) now() int64 {
	if at, leads := d.s.replica.ClusterTime(); leads {
		return at
	}
	return d.s.machine.View().ClusterTime()
}

// workIndexes are what the controllers look instances up by.
var workIndexes = slices.Concat(nodes.Indexes, workloads.Indexes)

// builtInControllers are those that servers run.
func (s *Server) builtInControllers(store *informer.Store) []controller.Controller {
	now := (&controllersDuty{s}).now
	schedulable := func(_ *informer.Reader, t *candor.InstanceTemplate) (bool, string) {
		return s.advice.takes(s.machine.View(), t)
	}
	return []controller.Controller{
		workloads.Controller(workloads.Settings{Store: store, Now: now, Schedulable: schedulable}),
		instances.Controller(instances.Settings{Store: store, Now: now}),
		nodes.Controller(nodes.Settings{Store: store, Now: now, Leases: beats{s}}),
		budgets.Controller(store),
	}
}

// whileCopied runs what works on the copy until ctx ends or the copy does.
func (c *copying) whileCopied(ctx context.Context, run func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-c.ended:
			cancel()
		case <-stop:
		}
	})
	err := run(ctx)
	close(stop)
	watching.Wait()
	select {
	case <-c.ended:
		return c.err
	default:
		return err
	}
}

// beats are the heartbeats that this node's view knows of.
type beats struct{ s *Server }

func (b beats) Beat(nodeUID string) (at int64, promised time.Duration, ok bool) {
	l, ok := b.s.machine.View().Lease(nodeUID)
	return l.Beat, time.Duration(l.Promised), ok
}
