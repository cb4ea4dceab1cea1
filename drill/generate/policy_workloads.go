package generate

import (
	"fmt"
	"strings"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/scenario"
)

// The workers of a drill of a policy, and the instances on them that a fault befalls.
const (
	governedWorkers   = 3
	befallenInstances = 2
)

const (
	// probeEvery is how often the probes of a drill ask.
	probeEvery = time.Second
	// leastFailing is the shortest time in which one of them is sure to be asked.
	leastFailing = probeEvery + 200*time.Millisecond
	// slotRests is for how long the slot of an instance that ended soon after it was placed
	// is kept by its workload: none of a drill is that young then.
	slotRests = 10 * time.Second
	// restartPause is how long a worker waits before it starts a process again.
	restartPause = time.Second
)

// forWorkloads has probes fail for less than the policy calls a failure, where that is long
// enough for a probe to be asked, then for so long that the action is due; and then it ends
// processes.
func forWorkloads(name string, policy *candor.FailurePolicySpec) (*scenario.Scenario, error) {
	exit, probe := scenario.ModeBy(policy, candor.SignalExit), scenario.ModeBy(policy, candor.SignalProbe)
	if exit == nil && probe == nil {
		return nil, candor.Errorf(candor.ReasonInvalid, "failure policy %s declares nothing by %s or %s: there is nothing to inject", name, candor.SignalExit, candor.SignalProbe)
	}
	governs := *policy
	governs.Objects = ""
	p := programme{at: time.Second}
	p.failing(probe)
	p.ending(exit)
	return &scenario.Scenario{
		Name:    "policy-" + name,
		Summary: fmt.Sprintf("Failure policy %s: of %d instances of %d workers, %s.", name, befallenInstances, governedWorkers, strings.Join(p.says, "; ")),
		Cluster: scenario.Cluster{Servers: 3, Workers: governedWorkers, Policy: &governs},
		Load:    scenario.Load{For: scenario.Duration(p.at), Workloads: []scenario.Workload{{Name: "registers"}}},
		Faults:  p.faults,
		Expect:  scenario.Expect{Acknowledged: 100},
	}, nil
}

// programme is faults one after the other.
type programme struct {
	at     time.Duration // of what comes next
	faults []scenario.Fault
	says   []string
}

func (p *programme) befall(kind scenario.Kind, lasts time.Duration) {
	p.faults = append(p.faults, scenario.Fault{
		Kind: kind, At: scenario.Duration(p.at), For: scenario.Duration(lasts), Count: befallenInstances, Times: 1,
	})
}

// failing has probes fail. What a worker does wrongly after the short time it does by the
// time at which the action would be due.
func (p *programme) failing(mode *candor.FailureMode) {
	if mode == nil {
		return
	}
	detect := time.Duration(mode.DetectWithin)
	due := detect + time.Duration(mode.ActAfter)
	how := "the probes fail"
	if short := detect * 3 / 5; short >= leastFailing {
		p.befall(scenario.FailProbes, short)
		p.at += due + settle
		how += fmt.Sprintf(" for %s, which is no failure, and", short)
	}
	long := due + 2*probeEvery + 2*restartPause + reaction
	p.matures(mode)
	p.befall(scenario.FailProbes, long)
	p.at += long + settle
	p.says = append(p.says, fmt.Sprintf("%s for %s: %s, and desired is real again within %s", how, long, dealt(mode.Action, due), time.Duration(mode.RecoverWithin)))
}

// ending has processes end. It is the last: nobody has to wait for what comes of it.
func (p *programme) ending(mode *candor.FailureMode) {
	if mode == nil {
		return
	}
	p.matures(mode)
	act := max(time.Duration(mode.ActAfter), restartPause)
	p.befall(scenario.EndInstances, 0)
	p.at += act + settle
	p.says = append(p.says, fmt.Sprintf("the processes are killed: %s, and desired is real again within %s",
		dealt(mode.Action, time.Duration(mode.ActAfter)), time.Duration(mode.RecoverWithin)))
}

// matures waits until the slots of instances that are given up are not kept any more.
func (p *programme) matures(mode *candor.FailureMode) {
	if mode.Action == candor.ActionReplace {
		p.at = max(p.at, slotRests+time.Second)
	}
}

// dealt is what an action on instances comes to once it is due.
func dealt(action string, due time.Duration) string {
	when := fmt.Sprintf("after %s", due)
	if due == 0 {
		when = "at once"
	}
	switch action {
	case candor.ActionRestart:
		return when + " they are started again in place"
	case candor.ActionReplace:
		return when + " others are made for them"
	default:
		return "nothing is done"
	}
}
