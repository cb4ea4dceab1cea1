package foresight

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/placing"
	"github.com/candor-plane/candor/coordinator/scheduler"
)

// foretold adds what the scheduler planned.
func foretold(plan *candor.Plan, planned *scheduler.Planned) {
	for _, d := range planned.Displaced {
		plan.Moves = append(plan.Moves, candor.PlannedMove{Instance: d.Ref, From: d.Node})
	}
	for i := range planned.Placements {
		d := &planned.Placements[i].Decision
		placed := candor.PlannedPlacement{Instance: planned.Placements[i].Ref, Node: d.Node}
		if len(d.Best) > 0 {
			placed.Score = d.Best[0].Score
		}
		plan.Placements = append(plan.Placements, placed)
	}
	for i := range planned.Preemptions {
		o := &planned.Preemptions[i]
		for _, v := range o.Victims {
			plan.Preemptions = append(plan.Preemptions, candor.PlannedPreemption{Victim: v.Ref, For: o.Ref, Node: o.Decision.Node})
		}
	}
	for i := range planned.Unplaceable {
		o := &planned.Unplaceable[i]
		_, message := placing.Sentence(&o.Decision)
		plan.Unplaceable = append(plan.Unplaceable, candor.Unplaceable{Instance: o.Ref, Explanation: candor.Explanation{
			Subject: candor.VersionRef{Ref: o.Ref, Revision: o.Revision}, Headline: message,
		}})
	}
}
