package experiment

import "time"

// Plan is how long and how often.
type Plan struct {
	// Warm precedes each recorded Window.
	Warm, Window time.Duration
	// IdleWindow is how long an idle cluster is watched.
	IdleWindow time.Duration
	// Settle is how long a cluster may take to become quiet after a change.
	Settle time.Duration
	// Patience is how long a measurement waits for the machine to become quiet.
	Patience time.Duration
	// Rounds, FailoverRounds and ScaleRounds are the rounds of the short
	// experiments, the kills of the leader, and the loads of the large state.
	Rounds, FailoverRounds, ScaleRounds int
	// Items is how many objects updates and reads choose from.
	Items int
	// ScaleObjects is the size of the large state.
	ScaleObjects int
	// Fleets are what instances are placed on, each PlacementRounds times; Drained is how
	// many nodes of the first are emptied.
	Fleets          []Fleet
	PlacementRounds int
	Drained         int
	// AfterKill is how long writes are watched at least after a leader died.
	AfterKill time.Duration
	// Brief puts stages that differ in name only on the same clusters, and shows
	// a noisy round as noisy where otherwise it would be repeated.
	Brief bool
}

// Repeats is how many rounds more than asked for may be measured to make up for
// noisy ones.
func (p Plan) Repeats(rounds int) int {
	if p.Brief {
		return 0
	}
	return rounds/2 + 1
}

// Full is the plan whose rows the targets are meant for.
func Full() Plan {
	return Plan{
		Warm: time.Second, Window: 3 * time.Second, IdleWindow: 10 * time.Second, Settle: 20 * time.Second, Patience: 5 * time.Second,
		Rounds: 5, FailoverRounds: 10, ScaleRounds: 3,
		Items: 10_000, ScaleObjects: 1_000_000,
		Fleets: []Fleet{{Nodes: 1000, Instances: 10_000, Replicas: 100}, {Nodes: 5000, Instances: 50_000, Replicas: 100}}, PlacementRounds: 3, Drained: 100,
		AfterKill: 3 * time.Second,
	}
}

// Smoke runs every experiment once, in under a minute in total; its numbers show
// that the benchmark works and little else.
func Smoke() Plan {
	return Plan{
		Warm: 50 * time.Millisecond, Window: 200 * time.Millisecond, IdleWindow: 500 * time.Millisecond, Settle: 250 * time.Millisecond,
		Rounds: 1, FailoverRounds: 1, ScaleRounds: 1,
		Items: 2_000, ScaleObjects: 5_000,
		Fleets: []Fleet{{Nodes: 20, Instances: 200, Replicas: 20}}, PlacementRounds: 1, Drained: 2,
		AfterKill: 1500 * time.Millisecond,
		Brief:     true,
	}
}
