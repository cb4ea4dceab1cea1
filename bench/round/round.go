// Package round decides which cluster is measured when: rounds alternate between
// the sides, and a round in which somebody else used the machine is thrown away
// and repeated.
//
// It guarantees that a side's values come from as many rounds as the other's,
// measured next to each other. It refuses to pass off a noisy round as a quiet
// one: when the machine never came to rest, the outcome says so. The command
// calls Runner.
package round

import (
	"context"
	"fmt"

	"github.com/candor-plane/candor/bench/experiment"
)

// maxFailures is how many measurements of one experiment may fail before it is
// given up.
const maxFailures = 2

// Round is one measurement of each side, by side.
type Round map[string]experiment.Values

// Outcome is what an experiment came to.
type Outcome struct {
	Experiment experiment.Experiment
	Rounds     []Round
	// Rejected counts the rounds thrown away for noise.
	Rejected int
	// Noisy is set when not one round was quiet: Rounds are then the rejected
	// ones and prove nothing.
	Noisy bool
	// Err is why there are fewer rounds than asked for, other than noise.
	Err error
}

// measured is one side's values with the machine's share that went to others.
type measured struct {
	values experiment.Values
	other  float64
}

// schedule is the rules of one experiment's rounds.
type schedule struct {
	sides  []string
	rounds int
	// repeats is how many more rounds may be measured for those thrown away.
	repeats int
	// limit is the share of the machine that others may take in a round.
	limit   float64
	measure func(ctx context.Context, side string) (measured, error)
	// failed is told of a measurement that failed, before it is repeated.
	failed func(side string, err error)
	// rejected is told of a round that was thrown away.
	rejected func(other float64)
}

// run measures until there are enough quiet rounds or no more attempts.
func (s schedule) run(ctx context.Context) Outcome {
	var outcome Outcome
	var noisy []Round
	failures := 0
	for attempt := 0; attempt < s.rounds+s.repeats && len(outcome.Rounds) < s.rounds; attempt++ {
		round, other, err := s.once(ctx, attempt)
		if ctx.Err() != nil {
			outcome.Err = ctx.Err()
			return outcome
		}
		if err != nil {
			if failures++; failures == maxFailures {
				outcome.Err = err
				break
			}
			continue
		}
		if other > s.limit {
			outcome.Rejected++
			noisy = append(noisy, round)
			s.rejected(other)
			continue
		}
		outcome.Rounds = append(outcome.Rounds, round)
	}
	if len(outcome.Rounds) == 0 && outcome.Err == nil {
		outcome.Rounds, outcome.Noisy = noisy, true
	}
	return outcome
}

// once measures every side, the first one first in even attempts and last in odd
// ones, and answers the largest share that others took.
func (s schedule) once(ctx context.Context, attempt int) (Round, float64, error) {
	round := Round{}
	var most float64
	for i := range s.sides {
		side := s.sides[i]
		if attempt%2 == 1 {
			side = s.sides[len(s.sides)-1-i]
		}
		m, err := s.measure(ctx, side)
		if err != nil {
			err = fmt.Errorf("%s: %w", side, err)
			if ctx.Err() == nil {
				s.failed(side, err)
			}
			return nil, 0, err
		}
		round[side] = m.values
		most = max(most, m.other)
	}
	return round, most, nil
}
