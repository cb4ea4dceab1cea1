package workloads

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/kinds"
)

// target is the template that the instances are to be of.
type target struct {
	template *candor.InstanceTemplate
	digest   string
	// back: it is the stable one, in place of the present one, which was given up.
	back bool
}

// targetOf settles in status whether the present template is given up: for as long as it
// is the present one, and going back is asked for.
func targetOf(w *kinds.Workload, status *candor.WorkloadStatus) target {
	status.Revision = Digest(&w.Spec.Template)
	if status.RolledBack != "" && (status.RolledBack != status.Revision || !w.Spec.Update.Rollback || status.StableTemplate == nil) {
		status.RolledBack, status.Progress = "", nil
	}
	if status.RolledBack != "" {
		return target{template: status.StableTemplate, digest: status.Stable, back: true}
	}
	return target{template: &w.Spec.Template, digest: status.Revision}
}

// overdue says whether a rollout has come no further for too long; until is when it will be.
func overdue(w *kinds.Workload, status *candor.WorkloadStatus, s strategy, now int64) (late bool, until int64) {
	if status.Progress == nil || w.Spec.Paused {
		return false, 0
	}
	until = status.Progress.At + s.deadline
	return now >= until, until
}

// mark is how far a rollout has come, in a number: it grows with each instance of the
// target that is made, with each that becomes available, and with each other that goes.
func mark(c *census) int32 {
	return int32(len(c.current) + c.availableCurrent - len(c.old))
}

// advance notes in status how far the rollout has come: it begins with a change of the
// spec, and ends when all is as wanted.
func advance(w *kinds.Workload, status *candor.WorkloadStatus, c *census, s strategy, to target, now int64) {
	begun := status.ObservedGeneration != w.Meta().Generation ||
		status.Progress == nil && !to.back && status.Revision != status.Stable && s.replicas > 0
	switch {
	case whole(c, s):
		status.Progress = nil
		if !to.back && s.replicas > 0 && status.Stable != status.Revision {
			status.Stable, status.StableGeneration, status.StableTemplate = status.Revision, w.Meta().Generation, &w.Spec.Template
		}
	case begun, status.Progress != nil && mark(c) > status.Progress.Mark:
		status.Progress = &candor.WorkloadProgress{Mark: mark(c), At: now}
	}
}

// whole: every instance is of the target, and available.
func whole(c *census, s strategy) bool {
	return len(c.old) == 0 && len(c.current) == s.replicas && c.availableCurrent == s.replicas && c.resting == 0
}
