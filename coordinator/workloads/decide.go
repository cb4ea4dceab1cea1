package workloads

import (
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/kinds"
)

// Decide says what is to be done about a workload now: the next step of its instances,
// and its status with it. Deciding again on what came of it, with nothing else changed,
// leads to an end at which nothing is to be done.
func Decide(v *View) Plan {
	w := v.Workload
	status := *w.Status
	s := strategyOf(w.Spec)
	to := targetOf(w, &status)
	c := take(v, to.digest, s)
	if w.Terminating() {
		report(v, &status, c, &step{}, to, s, false)
		status.Phase = "Deleting"
		return conclude(v, &status, nil, 0, ReasonStatus, "the workload is being deleted")
	}
	advance(w, &status, c, s, to, v.Now)
	late, until := overdue(w, &status, s, v.Now)
	if late && w.Spec.Update.Rollback && !to.back && status.Stable != status.Revision && status.StableTemplate != nil {
		status.RolledBack = status.Revision
		to = targetOf(w, &status)
		c = take(v, to.digest, s)
		status.Progress = &candor.WorkloadProgress{Mark: mark(c), At: v.Now}
		late, until = overdue(w, &status, s, v.Now)
	}
	if !late {
		c.wake(until)
	}
	next := stepOf(c, s, w, to)
	class, known := Priority(next.madeOf(to), v.Classes)
	if !known {
		next.create = 0
	}
	report(v, &status, c, &next, to, s, late)
	accept(v, &status, s, next.madeOf(to), known)
	reason, message := say(v, &status, c, &next, to, s)
	if next.empty() {
		return conclude(v, &status, nil, c.next, reason, message)
	}
	status.Steps++
	return conclude(v, &status, next.operations(v, class), c.next, reason, message)
}

func (s *step) madeOf(to target) *candor.InstanceTemplate {
	if s.template == nil {
		return to.template
	}
	return s.template
}

// conclude puts the plan together: the status goes with the step, and what is so already
// is not written.
func conclude(v *View, status *candor.WorkloadStatus, ops []controller.Op, next int64, reason, message string) Plan {
	plan := Plan{Next: next, Message: message}
	because := v.Workload.Version()
	if len(ops) == 0 {
		because = newest(v)
	}
	if op, changed := v.Workload.Write(status); changed {
		ops = append(ops, op)
	}
	if len(ops) > 0 {
		plan.Write = &controller.Write{Ops: ops, Reason: reason, Message: message, Because: because, Read: v.Token}
	}
	return plan
}

// newest is the version that a status follows from: the workload's own, or that of the
// instance that changed after it.
func newest(v *View) *candor.VersionRef {
	because := v.Workload.Version()
	for _, i := range v.Instances {
		if i.Meta().ResourceVersion > because.Revision {
			because = i.Version()
		}
	}
	return because
}

// say names the step and what led to it.
func say(v *View, status *candor.WorkloadStatus, c *census, next *step, to target, s strategy) (reason, message string) {
	name := v.Workload.Ref.Name
	have := fmt.Sprintf("workload %s wants %d and has %d", name, s.replicas, c.live())
	switch {
	case len(next.adopt) > 0:
		return ReasonAdopt, fmt.Sprintf("%d instances of workload %s had no controller: they are adopted", len(next.adopt), name)
	case next.empty():
		return ReasonStatus, fmt.Sprintf("%s, %d available", have, c.availableAll())
	case to.back && len(c.old) > 0:
		return ReasonRollBack, fmt.Sprintf("workload %s goes back to revision %s from %s: %s", name, to.digest, status.RolledBack, next.sums())
	case len(c.old) > 0 && !v.Workload.Spec.Paused:
		return ReasonRollOut, fmt.Sprintf("workload %s rolls out revision %s, %d of %d available: %s", name, to.digest, c.availableAll(), s.replicas, next.sums())
	case len(next.remove) > 0:
		return ReasonScaleDown, have + ": " + next.sums()
	case len(next.over) > 0:
		return ReasonReplace, fmt.Sprintf("%s; %s: %s", have, ended(next.over), next.sums())
	case status.Progress == nil:
		return ReasonReplace, have + ": " + next.sums()
	default:
		return ReasonScaleUp, have + ": " + next.sums()
	}
}

func ended(over []*kinds.Instance) string {
	if len(over) == 1 {
		return fmt.Sprintf("%s is %s", over[0].Ref.Name, over[0].Status.Phase)
	}
	return fmt.Sprintf("%s and %d more have ended", over[0].Ref.Name, len(over)-1)
}

func (s *step) sums() string {
	if end := len(s.remove) + len(s.over); end > 0 {
		return fmt.Sprintf("%d made, %d ended", s.create, end)
	}
	return fmt.Sprintf("%d made", s.create)
}
