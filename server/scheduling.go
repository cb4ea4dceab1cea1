package server

import (
	"context"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/placing"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/tenure"
)

// scheduleDuty places instances.
type scheduleDuty struct{ s *Server }

func (d *scheduleDuty) Name() string { return tenure.DutySchedule }

func (d *scheduleDuty) Run(ctx context.Context, g *coordinator.Grant) error {
	c := d.s.mirror.use()
	defer d.s.mirror.leave(c)
	placer := placing.New(placing.Config{Store: c.store, Root: &placements{d.s, g}, Logger: d.s.logger.Named("schedule")})
	d.s.placer.Store(placer)
	defer d.s.placer.Store(nil)
	return c.whileCopied(ctx, placer.Run)
}

// placements puts decisions through the root, under a grant.
type placements struct {
	s     *Server
	grant *coordinator.Grant
}

func (p *placements) Place(ctx context.Context, read candor.Token, batch []placing.Placement) (uint64, error) {
	items := make([]command.Placement, len(batch))
	for i, b := range batch {
		items[i] = command.Placement{
			Ref: b.Instance.Ref, UID: b.UID, ResourceVersion: b.Instance.Revision, Node: b.Node, NodeUID: b.NodeUID, Nominated: b.Nominated,
			Decision: b.Decision, Reason: b.Reason, Message: b.Message,
		}
	}
	c := command.Place(p.grant.Duty.Name, p.grant.Era, p.grant.Holder, read, items...)
	c.Reason, c.Message = "PLACEMENT", "decided by the scheduler"
	result, err := p.s.settled(ctx, c)
	return revisionOf(&result), err
}

func (p *placements) Evict(ctx context.Context, e placing.Eviction) (uint64, error) {
	w := controller.Write{
		Reason: "PREEMPTION", Message: e.Message, Because: &e.Instance, Read: e.Read,
		Ops: []controller.Op{controller.UpdateStatus{Ref: e.Instance.Ref, UID: e.UID, ResourceVersion: e.Instance.Revision, Status: e.Status}},
	}
	for _, b := range e.Budgets {
		w.Ops = append(w.Ops, controller.UpdateStatus{Ref: b.Budget.Ref, UID: b.UID, ResourceVersion: b.Budget.Revision, Status: b.Status})
	}
	for _, v := range e.Victims {
		w.Ops = append(w.Ops, controller.Delete{Ref: v.Instance.Ref, UID: v.UID, ResourceVersion: v.Instance.Revision})
	}
	return (&dutyWriter{p.s, p.grant}).Write(ctx, w)
}
