package workloads

import (
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/kinds"
)

// report fills in the counts as they are after the step, the conditions and the phase.
func report(v *View, status *candor.WorkloadStatus, c *census, next *step, to target, s strategy, late bool) {
	w := v.Workload
	status.ObservedGeneration = w.Meta().Generation
	tally(status, c, next, to)
	set := func(kind string, is bool, reason, message string) {
		condition := candor.Condition{Type: kind, Status: candor.ConditionFalse, Reason: reason, Message: message}
		if is {
			condition.Status = candor.ConditionTrue
		}
		put(v, status, condition)
	}
	enough := int(status.Available) >= s.least()
	counts := fmt.Sprintf("%d of %d are available, %d are enough", status.Available, s.replicas, s.least())
	if enough {
		set(candor.ConditionAvailable, true, candor.WhyEnough, counts)
	} else {
		set(candor.ConditionAvailable, false, candor.WhyTooFew, counts)
	}
	done := whole(c, s) && next.empty()
	switch {
	case w.Spec.Paused:
		put(v, status, candor.Condition{Type: candor.ConditionProgressing, Status: candor.ConditionUnknown, Reason: candor.WhyPaused, Message: "spec.paused holds it where it is"})
	case to.back:
		set(candor.ConditionProgressing, false, candor.WhyRolledBack, fmt.Sprintf("revision %s came no further in %d s: back to %s of generation %d", status.RolledBack, s.deadline/second, status.Stable, status.StableGeneration))
	case late:
		set(candor.ConditionProgressing, false, candor.WhyDeadlineExceeded, fmt.Sprintf("revision %s came no further in %d s%s", status.Revision, s.deadline/second, remedy(w, status)))
	case done:
		set(candor.ConditionProgressing, true, candor.WhyComplete, fmt.Sprintf("all %d are of revision %s and available", s.replicas, to.digest))
	default:
		set(candor.ConditionProgressing, true, candor.WhyRollingOut, fmt.Sprintf("%d of %d are of revision %s", status.Updated, s.replicas, to.digest))
	}
	if fits, why := v.Schedulable(to.template); fits {
		set(candor.ConditionSchedulable, true, candor.WhySomeNodeMatches, why)
	} else {
		set(candor.ConditionSchedulable, false, candor.WhyNoNodeMatches, why)
	}
	switch {
	case w.Spec.Paused:
		status.Phase = "Paused"
	case late || to.back:
		status.Phase = "Stalled"
	case done:
		status.Phase = "Available"
	case status.Progress != nil:
		status.Phase = "Progressing"
	default:
		status.Phase = "Degraded"
	}
}

func remedy(w *kinds.Workload, status *candor.WorkloadStatus) string {
	switch {
	case !w.Spec.Update.Rollback:
		return "; update.rollback would go back"
	case status.StableTemplate == nil:
		return "; there is no earlier template to go back to"
	default:
		return ""
	}
}

func put(v *View, status *candor.WorkloadStatus, condition candor.Condition) {
	condition.ObservedGeneration = v.Workload.Meta().Generation
	condition.LastTransitionTime = kinds.Time(v.Now)
	status.Conditions = status.Conditions.With(condition)
}

// accept says what of the spec cannot be followed as it is written.
func accept(v *View, status *candor.WorkloadStatus, s strategy, template *candor.InstanceTemplate, classKnown bool) {
	refused := candor.Condition{Type: candor.ConditionAccepted, Status: candor.ConditionFalse}
	switch {
	case !classKnown:
		refused.Reason = candor.WhyNoPriorityClass
		refused.Message = fmt.Sprintf("there is no priority class %q: no instance is made until there is", template.PriorityClass)
	case s.noStep:
		refused.Reason = candor.WhyNoStep
		refused.Message = "update.maxUnavailable and update.maxSurge both come to 0: one at a time is taken away"
	default:
		status.Conditions = status.Conditions.Without(candor.ConditionAccepted)
		return
	}
	put(v, status, refused)
}

// tally counts what lives after the step.
func tally(status *candor.WorkloadStatus, c *census, next *step, to target) {
	gone := make(map[*kinds.Instance]bool, len(next.remove))
	for _, i := range next.remove {
		gone[i] = true
	}
	status.Instances, status.Placed, status.Running, status.Ready, status.Updated, status.Available = 0, 0, 0, 0, 0, 0
	count := func(list []*kinds.Instance, updated int32) {
		for _, i := range list {
			if gone[i] {
				continue
			}
			status.Instances++
			status.Updated += updated
			status.Placed += one(i.Placed())
			status.Running += one(i.Observed != nil && i.Observed.State == candor.ProcessRunning)
			status.Ready += one(i.Ready())
			status.Available += one(c.available(i))
		}
	}
	count(c.current, 1)
	count(c.old, 0)
	status.Instances += int32(next.create)
	if next.template == nil || next.digest == to.digest {
		status.Updated += int32(next.create)
	}
	for _, i := range next.adopt {
		updated := one(revisionOf(i) == to.digest)
		count([]*kinds.Instance{i}, updated)
	}
}

func one(is bool) int32 {
	if is {
		return 1
	}
	return 0
}
