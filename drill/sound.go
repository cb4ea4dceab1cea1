package drill

import (
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/drill/workload"
	"github.com/candor-plane/candor/verify/evidence"
)

// Sound refuses, with INVALID, what no stage could run: a workload or a check that
// there is not, and more nodes or instances to befall than there are. Run does too, later.
func Sound(s *scenario.Scenario) error {
	for _, load := range s.Load.Workloads {
		if !slices.Contains(workload.Names(), load.Name) {
			return candor.Errorf(candor.ReasonInvalid, "%s: no workload is named %q: want one of %v", s.Name, load.Name, workload.Names())
		}
	}
	for name := range s.Expect.Unchecked {
		if !slices.Contains(evidence.Names, evidence.Name(name)) {
			return candor.Errorf(candor.ReasonInvalid, "%s: expect.unchecked: there is no check %q: want one of %v", s.Name, name, evidence.Names)
		}
	}
	for i, f := range s.Faults {
		if f.Kind == scenario.LoseNodes && f.Count > s.Cluster.Nodes {
			return candor.Errorf(candor.ReasonInvalid, "%s: fault %d (%s): count %d: cluster.nodes has %d", s.Name, i+1, f.Kind, f.Count, s.Cluster.Nodes)
		}
		if befallsInstances(f.Kind) && f.Count > s.Cluster.Residents() {
			return candor.Errorf(candor.ReasonInvalid, "%s: fault %d (%s): count %d: cluster.workers, %d, run %d instances of the drill", s.Name, i+1, f.Kind, f.Count, s.Cluster.Workers, s.Cluster.Residents())
		}
	}
	places := slices.ContainsFunc(s.Load.Workloads, func(w scenario.Workload) bool { return w.Name == workload.Placements })
	if places && s.Cluster.Workers > 0 && s.Cluster.Nodes == 0 {
		return candor.Errorf(candor.ReasonInvalid, "%s: %s wants cluster.nodes: what it places are no commands that cluster.workers could run", s.Name, workload.Placements)
	}
	return nil
}

func befallsInstances(kind scenario.Kind) bool {
	return kind == scenario.EndInstances || kind == scenario.FailProbes
}
