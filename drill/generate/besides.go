package generate

import (
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/scenario"
)

const (
	// swarmNodes are the worker nodes of a random scenario that has any, a third of which
	// may be lost.
	swarmNodes = 6
	// rebirth is how long before the end a disk is lost at the latest: its server has to
	// join anew, whatever else befalls the cluster.
	rebirth = time.Minute
)

// besides adds to a random scenario what seldom comes: the loss of one server's disk, or
// damage to it, at most once, for two of them may take with them what was acknowledged;
// clients that do not behave; in one of four, worker nodes, of which some fall silent; and
// in one of three, clients that hold duties.
func (w *swarm) besides(s *scenario.Scenario) {
	w.losesDisk(s)
	w.crowds(s)
	w.losesNodes(s)
	if w.aside.IntN(3) == 0 {
		s.Load.Workloads = append(s.Load.Workloads, scenario.Workload{Name: "holders", Clients: 2, Keys: 1, Pause: w.pause(1)})
	}
}

func (w *swarm) losesDisk(s *scenario.Scenario) {
	draw := w.aside.IntN(4)
	if draw == 0 || time.Duration(s.Load.For) <= 2*rebirth {
		return
	}
	f := scenario.Fault{Kind: scenario.Wipe, Target: "follower"}
	switch draw {
	case 2:
		f.Kind, f.What = scenario.Damage, scenario.DamageTail
	case 3:
		f.Kind, f.What = scenario.Damage, scenario.DamageLog
	default: // all of it is lost
	}
	w.add(s, f, rebirth)
	for _, reason := range []candor.Reason{candor.ReasonDataCorrupt, candor.ReasonNotAMember, candor.ReasonMemberExists, candor.ReasonClusterMismatch, candor.ReasonDataForeign} {
		s.Expect.Ends = append(s.Expect.Ends, string(reason))
	}
}

func (w *swarm) crowds(s *scenario.Scenario) {
	for range w.aside.IntN(4) {
		f := scenario.Fault{Target: "any", For: w.moment(), Count: 5 + w.aside.IntN(20)}
		switch w.aside.IntN(3) {
		case 0:
			f.Kind = scenario.Sleeper
		case 1:
			f.Kind = scenario.Storm
		default:
			f.Kind, f.For = scenario.Malformed, 0
		}
		w.add(s, f, settle)
	}
}

func (w *swarm) losesNodes(s *scenario.Scenario) {
	if w.aside.IntN(4) > 0 {
		return
	}
	s.Cluster.Nodes = swarmNodes
	s.Load.Workloads = append(s.Load.Workloads, scenario.Workload{Name: "placements", Clients: 1, Pause: w.pause(5)})
	for range 1 + w.aside.IntN(3) {
		w.add(s, scenario.Fault{Kind: scenario.LoseNodes, For: scenario.Duration(10*time.Second) + w.moment(), Count: swarmNodes / 3}, settle)
	}
}

// moment is how long such a fault lasts.
func (w *swarm) moment() scenario.Duration {
	return scenario.Duration(time.Second + time.Duration(w.aside.Int64N(int64(mostLength/2))).Truncate(time.Millisecond))
}

// add puts a fault somewhere, over so long before the end; where another of its kind
// lasts, which would end with the first of them, it is left out.
func (w *swarm) add(s *scenario.Scenario, f scenario.Fault, before time.Duration) {
	free := time.Duration(s.Load.For) - time.Duration(f.For) - before - 5*time.Second
	if free <= 0 || len(s.Faults) >= mostFaults {
		return
	}
	f.At, f.Times = scenario.Duration(5*time.Second+time.Duration(w.aside.Int64N(int64(free))).Truncate(time.Millisecond)), 1
	for i := range s.Faults {
		if o := &s.Faults[i]; o.Kind == f.Kind && o.At <= f.End() && f.At <= o.End() {
			return
		}
	}
	s.Faults = append(s.Faults, f)
}
