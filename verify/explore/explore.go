package explore

import (
	"fmt"

	"github.com/zeebo/xxh3"
)

// Run explores a model until every state is seen or a step breaks a promise. An
// error says that the run could not be made or was not exhaustive.
func Run[S any, A fmt.Stringer](model Model[S, A], options Options[S, A]) (Report, error) {
	if options.MaxStates <= 0 {
		return Report{}, fmt.Errorf("explore: a limit of %d states: want at least 1", options.MaxStates)
	}
	for i := range options.Goals {
		if g := &options.Goals[i]; len(g.Fair) > mostFair {
			return Report{}, fmt.Errorf("explore: %s: fair to %d: want at most %d", g.Name, len(g.Fair), mostFair)
		}
	}
	e := &exploration[S, A]{
		model: model, options: options, seen: map[xxh3.Uint128]uint32{},
		endings: make([]ending, len(options.Endings)), goals: make([]graph, len(options.Goals)),
	}
	err := e.run()
	return e.report, err
}

// exploration numbers states in the order in which it meets them.
type exploration[S any, A fmt.Stringer] struct {
	model   Model[S, A]
	options Options[S, A]
	report  Report

	seen    map[xxh3.Uint128]uint32
	parents []uint32
	actions []A
	key     []byte

	endings []ending
	goals   []graph
}

func (e *exploration[S, A]) run() error {
	first := e.model.Initial()
	e.number(first, 0, *new(A))
	for level := []S{first}; len(level) > 0; e.report.Depth++ {
		base := uint32(len(e.parents) - len(level))
		var next []S
		for i, s := range level {
			if err := e.expand(s, base+uint32(i), &next); err != nil || e.report.Failure != nil {
				e.report.States = len(e.parents)
				return err
			}
			level[i] = *new(S)
		}
		if len(next) == 0 {
			break
		}
		level = next
	}
	e.report.States = len(e.parents)
	e.checkEndings()
	if e.report.Failure == nil {
		e.checkGoals()
	}
	return nil
}

// expand visits the steps of one state and appends the states that are new.
func (e *exploration[S, A]) expand(s S, number uint32, next *[]S) error {
	var failed error
	for i := range e.goals {
		e.goals[i].begin()
	}
	e.model.Steps(s, func(action A, to S, broken error) {
		if failed != nil || e.report.Failure != nil {
			return
		}
		e.report.Transitions++
		if broken != nil {
			e.report.Depth++
			e.report.Failure = &Failure{Broken: broken.Error(), Steps: append(e.path(number), action.String())}
			return
		}
		reached, fresh := e.number(to, number, action)
		if fresh {
			*next = append(*next, to)
		}
		for i := range e.endings {
			if reached != number && !e.options.Endings[i].Fault(action) {
				e.endings[i].step(number, reached)
			}
		}
		for i := range e.goals {
			e.goals[i].step(reached, e.options.Goals[i].does(action))
		}
		if len(e.parents) > e.options.MaxStates {
			failed = fmt.Errorf("explore: more than %d states at depth %d: not exhaustive; set tighter bounds or a higher limit", e.options.MaxStates, e.report.Depth)
		}
	})
	return failed
}

// number is the state's number, which is new when the state is.
func (e *exploration[S, A]) number(s S, parent uint32, action A) (number uint32, fresh bool) {
	e.key = e.model.Key(e.key[:0], s)
	id := xxh3.Hash128(e.key)
	if n, ok := e.seen[id]; ok {
		return n, false
	}
	n := uint32(len(e.parents))
	e.seen[id] = n
	e.parents, e.actions = append(e.parents, parent), append(e.actions, action)
	for i := range e.endings {
		e.endings[i].note(e.options.Endings[i].Owed(s), e.options.Endings[i].Done(s))
	}
	for i := range e.goals {
		e.goals[i].note(e.options.Goals[i].Owed(s) && !e.options.Goals[i].Done(s))
	}
	return n, true
}

// lookup is the number of a state that was met.
func (e *exploration[S, A]) lookup(s S) uint32 {
	e.key = e.model.Key(e.key[:0], s)
	n, met := e.seen[xxh3.Hash128(e.key)]
	if !met {
		panic("explore: a state that is looked up was never met")
	}
	return n
}

// path is the actions that lead to a state.
func (e *exploration[S, A]) path(number uint32) []string {
	var back []string
	for ; number != 0; number = e.parents[number] {
		back = append(back, e.actions[number].String())
	}
	steps := make([]string, 0, len(back)+1)
	for i := range back {
		steps = append(steps, back[len(back)-1-i])
	}
	return steps
}
