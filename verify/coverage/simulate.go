package coverage

import (
	"context"
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/verify/sim"
)

// Simulate notes what the simulations of so many seeds show, from the first on. A
// simulation that fails is an error: INVARIANT_VIOLATED, with the seed.
func (c *Coverage) Simulate(ctx context.Context, first uint64, seeds, steps int) error {
	for seed := first; seed < first+uint64(max(0, seeds)); seed++ {
		if err := ctx.Err(); err != nil {
			return &candor.Error{Reason: candor.ReasonCanceled, Message: fmt.Sprintf("given up before seed %d", seed), Err: err}
		}
		observe := func(t *sim.Turn) {
			turn := Turn{Before: t.Before, After: t.After}
			if t.Command != nil {
				turn.Commands, turn.Results = []*command.Command{t.Command}, []fsm.Result{*t.Result}
			}
			c.Add(Simulation, fmt.Sprintf("seed %d index %d", seed, t.Index), OfTurn(&turn)...)
		}
		if result := sim.Run(seed, steps, sim.Options{Observe: observe}); result.Failure != nil {
			return candor.Errorf(candor.ReasonInvariantViolated, "seed %d: %s", seed, result.Failure)
		}
	}
	return nil
}
