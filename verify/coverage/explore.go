package coverage

import (
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/coverage/lifecycle"
	"github.com/candor-plane/candor/verify/explore"
)

// Explore notes every step that the models of the explorer take, with a shortest path to
// each. It takes seconds. An error says that a model was not exhausted within its bounds
// or broke a promise: package explore says which.
func (c *Coverage) Explore() error {
	for _, run := range []func(*Coverage) error{exploreTenures, exploreTransitions} {
		if err := run(c); err != nil {
			return err
		}
	}
	return nil
}

// mostStates ends an exploration that was meant to be small.
const mostStates = 400_000

// walker visits the states of a model breadth first, for the steps of lifecycles.
type walker[S any, A fmt.Stringer] struct {
	model explore.Model[S, A]
	// by names the model and its bounds; steps are those that one step of it makes.
	by    string
	steps func(before S, action A, after S) []lifecycle.Step
	// tells appends what steps depend on beside the model's key, which tells states apart
	// by their future alone.
	tells func(key []byte, s S) []byte

	numbers map[xxh3.Uint128]bool
	key     []byte
	nodes   []visited[S, A]
}

// visited is a state, and the step that led to it first.
type visited[S any, A fmt.Stringer] struct {
	state  S
	parent int
	action A
}

func (w *walker[S, A]) run(c *Coverage) error {
	w.numbers = map[xxh3.Uint128]bool{}
	found := map[lifecycle.Step]bool{}
	var failed error
	w.enter(w.model.Initial(), -1, *new(A))
	for n := 0; n < len(w.nodes) && failed == nil; n++ {
		s := w.nodes[n].state
		w.nodes[n].state = *new(S)
		w.model.Steps(s, func(action A, next S, broken error) {
			if broken != nil && failed == nil {
				failed = candor.Errorf(candor.ReasonInvariantViolated, "%s: %w", w.by, broken)
			}
			for _, step := range w.steps(s, action, next) {
				if !found[step] {
					found[step] = true
					c.Reach(Reached{Step: step.String(), By: w.by, Path: append(w.path(n), action.String())})
				}
			}
			w.enter(next, n, action)
		})
		if len(w.nodes) > mostStates && failed == nil {
			failed = candor.Errorf(candor.ReasonInternal, "%s: more than %d states: not exhausted", w.by, mostStates)
		}
	}
	return failed
}

func (w *walker[S, A]) enter(s S, parent int, action A) {
	w.key = w.tells(w.model.Key(w.key[:0], s), s)
	id := xxh3.Hash128(w.key)
	if w.numbers[id] {
		return
	}
	w.numbers[id] = true
	w.nodes = append(w.nodes, visited[S, A]{state: s, parent: parent, action: action})
}

func (w *walker[S, A]) path(n int) []string {
	var steps []string
	for ; w.nodes[n].parent >= 0; n = w.nodes[n].parent {
		steps = append(steps, w.nodes[n].action.String())
	}
	slices.Reverse(steps)
	return steps
}

// only are the steps of sightings.
func only(sights []Sight) []lifecycle.Step {
	var steps []lifecycle.Step
	for i := range sights {
		steps = append(steps, sights[i].Step)
	}
	return steps
}
