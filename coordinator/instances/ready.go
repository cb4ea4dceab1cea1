package instances

import (
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/kinds"
)

// exited: its process ended, and its worker will not start it again.
func exited(i *kinds.Instance) bool {
	return i.Observed != nil && i.Observed.State == candor.ProcessExited
}

// end is what an instance has come to whose process ended for good. One that was to run
// always has failed, however it ended; any other has succeeded if its code was 0.
func end(i *kinds.Instance) candor.InstancePhase {
	code := i.Observed.ExitCode
	always := i.Spec.Restart == candor.RestartAlways || i.Spec.Restart == ""
	if always || code == nil || *code != 0 {
		return candor.InstanceFailed
	}
	return candor.InstanceSucceeded
}

// ready is the condition Ready, by what the worker says and whether it is heard of.
func (v *View) ready() candor.Condition {
	i, o := v.Instance, v.Instance.Observed
	is := func(status candor.ConditionStatus, reason, message string) candor.Condition {
		return candor.Condition{Status: status, Reason: reason, Message: message}
	}
	switch {
	case v.gone():
		return is(candor.ConditionUnknown, candor.WhyNodeGone, fmt.Sprintf("node %s does not exist any more", i.Status.Node))
	case exited(i):
		return is(candor.ConditionFalse, candor.WhyEnded, "the process ended"+code(o))
	case !v.Node.Status.Conditions.True(candor.ConditionReady):
		return is(candor.ConditionUnknown, candor.WhyNodeUnreachable, fmt.Sprintf("nobody hears of node %s", i.Status.Node))
	case o == nil || o.State == candor.ProcessStarting:
		return is(candor.ConditionFalse, candor.WhyStarting, "the process is being started")
	case o.State == candor.ProcessWaiting:
		return is(candor.ConditionFalse, candor.WhyRestarting, "the process ended"+code(o)+" and will be started again")
	case o.State == candor.ProcessStopping || i.Terminating():
		return is(candor.ConditionFalse, candor.WhyStopping, "the process was asked to end")
	case o.Ready:
		return is(candor.ConditionTrue, candor.WhyRunning, "the process runs"+probed(i))
	case !o.ReadySince.IsZero():
		return is(candor.ConditionFalse, candor.WhyProbeFailing, "the process runs and its probe fails")
	default:
		return is(candor.ConditionFalse, candor.WhyStarting, "the process runs and its probe has not succeeded yet")
	}
}

func code(o *candor.InstanceObserved) string {
	if o.ExitCode == nil {
		return ""
	}
	return fmt.Sprintf(" with code %d", *o.ExitCode)
}

func probed(i *kinds.Instance) string {
	if i.Spec.Health == nil {
		return ""
	}
	return " and its probe succeeds"
}
