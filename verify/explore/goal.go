package explore

import "fmt"

// Goal is a promise that something comes about: nothing that may happen for ever
// keeps it away for ever. A run looks for the contrary, a cycle of steps from states
// that owe the goal to states that owe it, in which it is never done and which is fair.
// A state in which nothing more happens is such a cycle as well.
//
// Keys must tell apart what Fair tells apart: a model that renames its processes in its
// keys can be fair to all of them together, and not to each.
type Goal[S any, A fmt.Stringer] struct {
	Name       string
	Owed, Done func(S) bool
	// Fault is for steps that come as often as they like on the way to a cycle, and
	// not for ever.
	Fault func(A) bool
	// Fair are at most 31.
	Fair []Fairness[A]
}

// Fairness is what does not stay away for ever, of the steps that Is tells. Weak
// fairness takes what stays possible; strong fairness takes what is possible again and
// again.
type Fairness[A fmt.Stringer] struct {
	Name   string
	Strong bool
	Is     func(A) bool
}

// mostFair is how many of a goal there may be: a step's are bits of a word, and one
// bit marks faults.
const mostFair = 31

// faulty marks the step that no cycle takes.
const faulty = uint32(1) << mostFair

// does is the word of a step.
func (g *Goal[S, A]) does(action A) uint32 {
	if g.Fault != nil && g.Fault(action) {
		return faulty
	}
	var bits uint32
	for i := range g.Fair {
		if g.Fair[i].Is(action) {
			bits |= 1 << i
		}
	}
	return bits
}

func (g *Goal[S, A]) fairness() (weak, strong uint32) {
	for i := range g.Fair {
		if g.Fair[i].Strong {
			strong |= 1 << i
		} else {
			weak |= 1 << i
		}
	}
	return weak, strong
}

// Lookout is what the search for one goal went through.
type Lookout struct {
	Goal string
	// Owing are the states that owe the goal and do not have it, Cycles the strongly
	// connected components of them that were looked into.
	Owing, Cycles int
}

// checkGoals leaves the first goal that a fair cycle keeps away as the failure.
func (e *exploration[S, A]) checkGoals() {
	for i := range e.goals {
		goal := &e.options.Goals[i]
		weak, strong := goal.fairness()
		search := e.goals[i].search(weak, strong)
		e.report.Lookouts = append(e.report.Lookouts, Lookout{Goal: goal.Name, Owing: search.owing, Cycles: search.components})
		if len(search.fair) == 0 {
			continue
		}
		l := search.lasso(e.depth)
		e.report.Failure = &Failure{Broken: goal.Name + ": a fair cycle keeps it away for ever"}
		e.report.Failure.Steps, e.report.Failure.Cycle = e.spell(goal, &e.goals[i], l)
		return
	}
}

// depth is how many steps lead to a state.
func (e *exploration[S, A]) depth(number uint32) int {
	depth := 0
	for ; number != 0; number = e.parents[number] {
		depth++
	}
	return depth
}

// spell finds the actions of a lasso, by taking its steps again.
func (e *exploration[S, A]) spell(goal *Goal[S, A], g *graph, l lasso) (prefix, cycle []string) {
	var way []uint32
	for n := l.from; n != 0; n = e.parents[n] {
		way = append(way, n)
	}
	s := e.model.Initial()
	take := func(fits func(action A, to uint32) bool) string {
		var label string
		var next S
		found := false
		e.model.Steps(s, func(action A, to S, _ error) {
			if !found && fits(action, e.lookup(to)) {
				label, next, found = action.String(), to, true
			}
		})
		if !found {
			panic("explore: the steps of a state are not those that they were")
		}
		s = next
		return label
	}
	for i := range way {
		want := way[len(way)-1-i]
		prefix = append(prefix, take(func(_ A, to uint32) bool { return to == want }))
	}
	for _, edge := range l.edges {
		cycle = append(cycle, take(func(action A, to uint32) bool { return to == g.to[edge] && goal.does(action) == g.does[edge] }))
	}
	if len(cycle) == 0 {
		cycle = []string{"nothing that must happen"}
	}
	return prefix, cycle
}
