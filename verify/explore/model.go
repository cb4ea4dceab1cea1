package explore

import "fmt"

// Model is what is explored: states S, and steps labelled by actions A.
type Model[S any, A fmt.Stringer] interface {
	// Initial is the state that everything begins in.
	Initial() S
	// Steps visits every step from a state, in an order that depends on the state
	// alone. broken is the promise that the step breaks, or nil.
	Steps(s S, visit func(action A, next S, broken error))
	// Key appends what tells a state from others. States of one key must have the
	// same future.
	Key(key []byte, s S) []byte
}

// Ending is a promise that something comes to its end: from every state that owes
// it there is a way to one where it is done, by steps that are no faults.
type Ending[S any, A fmt.Stringer] struct {
	Name  string
	Owed  func(S) bool
	Done  func(S) bool
	Fault func(A) bool
}

// Options of a run.
type Options[S any, A fmt.Stringer] struct {
	// MaxStates ends a run with an error; it must be set.
	MaxStates int
	Endings   []Ending[S, A]
	Goals     []Goal[S, A]
}
