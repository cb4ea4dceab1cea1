package experiment

import (
	"context"
	"fmt"
	"time"

	"github.com/candor-plane/candor/bench/system"
)

// equalElection and equalHeartbeat are what both sides are set to where their
// own defaults are not compared.
const (
	equalElection  = 250 * time.Millisecond
	equalHeartbeat = 25 * time.Millisecond
)

// Catalog is every experiment in the order in which they run.
func Catalog(p Plan) []Experiment {
	stage := func(name string) Stage { return Stage{Name: name, Items: p.Items} }
	beacon := stage("beacon")
	beacon.Beside = WithoutBeacon
	all := []Experiment{
		{Name: "idle", Stage: stage("idle"), Rounds: p.Rounds, Metrics: idleMetrics, Measure: idle},
		{Name: "beacon", Stage: beacon, Rounds: p.Rounds, Metrics: idleMetrics, Measure: idleCluster},
	}
	timed := []Metric{rate, p50, p99}
	costed := append([]Metric{cpu}, timed...)

	for _, clients := range []int{1, 64, 256} {
		all = append(all, Experiment{
			Name: fmt.Sprintf("read-strong/%d", clients), Stage: stage("read"), Rounds: p.Rounds,
			Metrics: timed, Measure: strongReads(clients),
		})
	}
	for _, clients := range []int{1, 64, 256} {
		all = append(all, Experiment{
			Name: fmt.Sprintf("read-local/follower/%d", clients), Stage: stage("read"), Rounds: p.Rounds,
			Metrics: timed, Measure: followerReads(clients, system.Local),
		})
	}
	all = append(all, Experiment{
		Name: "read-local/spread/256", Stage: stage("read"), Rounds: p.Rounds,
		Metrics: timed, Measure: spreadReads(256, system.Local),
	})
	all = append(all, freshReads(p, stage)...)
	for _, clients := range []int{1, 16, 64, 256, 1000} {
		all = append(all, Experiment{
			Name: fmt.Sprintf("create/%d", clients), Stage: stage("create"), Rounds: p.Rounds,
			Metrics: costed, Measure: creates(clients),
		})
	}
	for _, clients := range []int{1, 16, 64, 256, 1000} {
		all = append(all, Experiment{
			Name: fmt.Sprintf("update/%d", clients), Stage: stage("update"), Rounds: p.Rounds,
			Metrics: costed, Measure: updates(clients),
		})
	}
	for _, clients := range []int{64, 256} {
		all = append(all, Experiment{
			Name: fmt.Sprintf("swap/%d", clients), Stage: stage("swap"), Rounds: p.Rounds,
			Metrics: timed, Measure: swaps(clients),
		})
	}
	for _, watchers := range []int{100, 1000} {
		all = append(all, Experiment{
			Name: fmt.Sprintf("watch/%d", watchers), Stage: stage("watch"), Rounds: p.Rounds,
			Metrics: watchMetrics, Measure: watches(watchers),
		})
	}
	all = append(all, allocations(p, stage("alloc"))...)
	all = append(all, placements(p)...)
	all = append(all, secured(p)...)
	equal := stage("failover-equal")
	equal.Election, equal.Heartbeat = equalElection, equalHeartbeat
	return append(all,
		Experiment{
			Name: "failover/defaults", Stage: stage("failover"), Rounds: p.FailoverRounds,
			Metrics: gapMetrics, Measure: leaderKill,
		},
		Experiment{
			Name: "failover/equal", Stage: equal, Rounds: p.FailoverRounds,
			Metrics: gapMetrics, Measure: leaderKill,
		},
		Experiment{
			Name: "scale", Stage: Stage{Name: "scale", Alone: true, EqualSize: true}, Rounds: p.ScaleRounds,
			Metrics: scaleMetrics, Measure: scale(p.ScaleObjects),
		},
	)
}

// freshReads are the reads whose answers prove how fresh they are, and what that
// costs.
func freshReads(p Plan, stage func(string) Stage) []Experiment {
	costed := []Metric{cpu, rate, p50, p99}
	read, alone, bare := stage("read"), stage("bound"), stage("witness")
	alone.Beside, bare.Beside = Nobody, WithoutWitness
	add := func(all []Experiment, name string, on Stage, measure func(context.Context, *Subject) (Values, error)) []Experiment {
		return append(all, Experiment{Name: name, Stage: on, Rounds: p.Rounds, Metrics: costed, Measure: measure})
	}
	var all []Experiment
	for _, clients := range []int{64, 256} {
		all = add(all, fmt.Sprintf("read-bounded/follower/%d", clients), read, followerReads(clients, system.Bounded))
	}
	all = add(all, "read-bounded/spread/256", read, spreadReads(256, system.Bounded))
	all = add(all, "read-bounded/routed/256", read, routedReads(256, system.Bounded))
	for _, clients := range []int{64, 256} {
		all = add(all, fmt.Sprintf("read-follower-index/%d", clients), read, followerReads(clients, system.StrongHere))
	}
	all = append(all,
		Experiment{Name: "bound/idle", Stage: alone, Rounds: p.Rounds, Metrics: []Metric{p50, p99}, Measure: bounds(0)},
		Experiment{Name: "bound/writes", Stage: alone, Rounds: p.Rounds, Metrics: []Metric{p50, p99}, Measure: bounds(64)},
	)
	all = add(all, "witness/bounded/256", bare, followerReads(256, system.Bounded))
	return add(all, "witness/best-effort/256", bare, followerReads(256, system.Local))
}
