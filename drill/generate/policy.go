package generate

import (
	"fmt"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/scenario"
)

// The nodes of a drill of a policy, and those of them that fall silent.
const (
	governedNodes = 12
	silentNodes   = 4
)

// reaction is how soon after it is due the cluster has done what a policy says: the bound
// that its verifier keeps it to, and a little.
const reaction = 12 * time.Second

// ForPolicy is a scenario that injects what a failure policy declares: nodes fall silent, or
// probes fail, for less than it calls a failure, and then for so long that its action is
// due; and processes end. A policy that says nothing of any of it is INVALID.
func ForPolicy(name string, policy *candor.FailurePolicySpec) (*scenario.Scenario, error) {
	of := forNodes
	switch policy.Kind {
	case candor.KindNodes:
	case candor.KindWorkloads:
		of = forWorkloads
	default:
		return nil, candor.Errorf(candor.ReasonInvalid, "failure policy %s is for %s: want one for %s or %s", name, policy.Kind, candor.KindNodes, candor.KindWorkloads)
	}
	s, err := of(name, policy)
	if err != nil {
		return nil, err
	}
	if err := s.Validate(); err != nil {
		return nil, candor.Errorf(candor.ReasonInvalid, "scenario for failure policy %s: %v", name, err)
	}
	return s, nil
}

func forNodes(name string, policy *candor.FailurePolicySpec) (*scenario.Scenario, error) {
	mode := policy.Silence()
	if mode == nil {
		return nil, candor.Errorf(candor.ReasonInvalid, "failure policy %s declares nothing by %s: there is nothing to inject", name, candor.SignalHeartbeat)
	}
	governs := *policy
	governs.Objects = ""
	detect, due := time.Duration(mode.DetectWithin), time.Duration(mode.DetectWithin)+time.Duration(mode.ActAfter)
	// A worker is heard every third of detectWithin: so long after its last beat at most it
	// stands still, and so long after it goes on it is heard again.
	short, beat := detect*2/5, detect/3
	first := time.Second + beat
	second := first + short + beat + settle
	long := due + reaction
	return &scenario.Scenario{
		Name: "policy-" + name,
		Summary: fmt.Sprintf("Failure policy %s: %d of %d nodes fall silent for %s, which is no failure, and for %s: %s, and desired is real again within %s.",
			name, silentNodes, governedNodes, short, long, done(mode.Action, due), time.Duration(mode.RecoverWithin)),
		Cluster: scenario.Cluster{Servers: 3, Nodes: governedNodes, Policy: &governs},
		Load: scenario.Load{
			For:       scenario.Duration(second + long + beat + settle),
			Workloads: []scenario.Workload{{Name: "registers"}, {Name: "placements"}},
		},
		Faults: []scenario.Fault{
			{Kind: scenario.LoseNodes, At: scenario.Duration(first), For: scenario.Duration(short), Count: silentNodes, Times: 1},
			{Kind: scenario.LoseNodes, At: scenario.Duration(second), For: scenario.Duration(long), Count: silentNodes, Times: 1},
		},
		Expect: scenario.Expect{Acknowledged: 100},
	}, nil
}

// done is what an action comes to once it is due.
func done(action string, due time.Duration) string {
	switch action {
	case candor.ActionEvict:
		return fmt.Sprintf("after %s what is there is given up", due)
	case candor.ActionCordon:
		return fmt.Sprintf("after %s they are closed to new instances, and stay so", due)
	default:
		return "nothing is done"
	}
}
