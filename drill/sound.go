package drill

import (
	"slices"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/drill/workload"
	"github.com/candor-plane/candor/verify/evidence"
)

// Sound refuses, with INVALID, what no stage could run: a workload or a check that
// there is not, and more nodes to lose than there are. Run does too, later.
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
	}
	return nil
}
