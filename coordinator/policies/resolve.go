package policies

import (
	"slices"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/kinds"
)

// What holds of nodes where no policy says anything.
const (
	builtinDetect  = 15 * time.Second
	builtinAct     = 30 * time.Second
	builtinRecover = 2 * time.Minute
)

// For is the policy that an object of the kind with those labels is under; nil where
// there is none.
func For(kind candor.KindName, labels map[string]string, all []*kinds.FailurePolicy) *kinds.FailurePolicy {
	name, policy := candor.FailurePolicyFor(kind, labels, byName(all))
	if policy == nil {
		return nil
	}
	at := slices.IndexFunc(all, func(p *kinds.FailurePolicy) bool { return p.Ref.Name == name })
	return all[at]
}

// Default names the policy that holds where no other selects an object of the kind.
func Default(kind candor.KindName) string { return candor.DefaultFailurePolicy(kind) }

func byName(all []*kinds.FailurePolicy) candor.FailurePolicies {
	return func(yield func(string, *candor.FailurePolicySpec) bool) {
		for _, p := range all {
			if !yield(p.Ref.Name, p.Spec) {
				return
			}
		}
	}
}

// Silence is what counts as a node's not being heard of, and what is then done: the
// mode Partition, or else Crash, of its heartbeat. From names the policy that says so,
// "built-in" for none.
func Silence(labels map[string]string, all []*kinds.FailurePolicy) (mode candor.FailureMode, from string) {
	declared, from := candor.FailureModeFor(candor.KindNodes, labels, byName(all), candor.SignalHeartbeat, candor.FailurePartition, candor.FailureCrash)
	if declared != nil {
		return *declared, from
	}
	return candor.FailureMode{
		Failure: candor.FailurePartition, Signal: candor.SignalHeartbeat, DetectWithin: candor.Duration(builtinDetect),
		Action: candor.ActionEvict, ActAfter: candor.Duration(builtinAct), RecoverWithin: candor.Duration(builtinRecover),
	}, "built-in"
}
