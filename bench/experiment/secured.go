package experiment

import (
	"fmt"

	"github.com/candor-plane/candor/bench/system"
)

// secured is work of other rows once more, under TLS and access control. What a
// connection costs to open is in none of them.
func secured(p Plan) []Experiment {
	on := Stage{Name: "tls", Items: p.Items, Security: system.Secured}
	costed := []Metric{cpu, rate, p50, p99}
	var all []Experiment
	for _, clients := range []int{64, 256} {
		all = append(all, Experiment{
			Name: fmt.Sprintf("tls/update/%d", clients), Stage: on, Rounds: p.Rounds,
			Metrics: costed, Measure: updates(clients),
		})
	}
	return append(all,
		Experiment{
			Name: "tls/read-strong/256", Stage: on, Rounds: p.Rounds,
			Metrics: costed, Measure: strongReads(256),
		},
		Experiment{
			Name: "tls/read-bounded/follower/256", Stage: on, Rounds: p.Rounds,
			Metrics: costed, Measure: followerReads(256, system.Bounded),
		},
		Experiment{
			Name: "tls/watch/100", Stage: on, Rounds: p.Rounds,
			Metrics: watchMetrics, Measure: watches(100),
		},
	)
}
