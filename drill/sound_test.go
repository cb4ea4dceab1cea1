package drill

import (
	"strings"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/scenario"
)

// TestWhatNoStageCouldRunIsRefused.
func TestWhatNoStageCouldRunIsRefused(t *testing.T) {
	for want, s := range map[string]scenario.Scenario{
		"no workload is named":                         {Load: scenario.Load{Workloads: []scenario.Workload{{Name: "gossip"}}}},
		"there is no check":                            {Expect: scenario.Expect{Unchecked: map[string]string{"luck": "no"}}},
		"count 3: cluster.nodes has 2":                 {Cluster: scenario.Cluster{Nodes: 2}, Faults: []scenario.Fault{{Kind: scenario.LoseNodes, Count: 3}}},
		"count 3: cluster.workers, 1, run 2 instances": {Cluster: scenario.Cluster{Workers: 1}, Faults: []scenario.Fault{{Kind: scenario.EndInstances, Count: 3}}},
		"count 1: cluster.workers, 0, run 0 instances": {Faults: []scenario.Fault{{Kind: scenario.FailProbes, Count: 1}}},
		"placements wants cluster.nodes":               {Cluster: scenario.Cluster{Workers: 1}, Load: scenario.Load{Workloads: []scenario.Workload{{Name: "placements"}}}},
	} {
		if err := Sound(&s); candor.ReasonOf(err) != candor.ReasonInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
