package experiment

import (
	"context"
	"fmt"

	"github.com/candor-plane/candor/bench/load"
	"github.com/candor-plane/candor/bench/system"
)

// allocations are calls for numbers, so many to a call, at the leader, which holds
// the duties of a cluster whose leader never changed.
func allocations(p Plan, on Stage) []Experiment {
	on.Beside = Nobody
	var all []Experiment
	for _, what := range []system.Numbers{system.IDs, system.Timestamps} {
		for _, count := range []uint64{1, 100} {
			for _, clients := range []int{1, 64} {
				all = append(all, Experiment{
					Name: fmt.Sprintf("alloc/%s/%d/%d", what, count, clients), Stage: on, Rounds: p.Rounds,
					Metrics: []Metric{cpu, rate, p50, p99}, Measure: allocates(what, count, clients),
				})
			}
		}
	}
	return all
}

func allocates(what system.Numbers, count uint64, clients int) func(context.Context, *Subject) (Values, error) {
	return func(ctx context.Context, s *Subject) (Values, error) {
		conns, err := s.dialLeader(ctx, clients)
		if err != nil {
			return nil, err
		}
		defer func() { _ = closeAll(conns) }()
		operations := make([]load.Operation, clients)
		for client := range operations {
			from, ok := conns[client%len(conns)].(system.Allocator)
			if !ok {
				return nil, fmt.Errorf("%s: this system hands out none", what)
			}
			operations[client] = func(ctx context.Context) error { return from.Allocate(ctx, what, count) }
		}
		result, span, err := s.run(ctx, operations)
		return costedValues(result, span), err
	}
}
