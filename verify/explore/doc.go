// Package explore visits every state that a model can reach, breadth first, and
// says which step first breaks a promise, by the shortest way there.
//
// It guarantees that a run without a failure has seen every reachable state within
// the model's own bounds, each once, that every state that owes an end has a way to it
// without further faults, and that no fair cycle keeps a goal away for ever. It refuses
// to pass over what it did not visit: a run that meets its limit of states is an error.
// States are told apart by 128 bits of hash of the key that the model makes of them.
//
// Models drive the functions of production; they live in the folders below. Tests
// call it, from one goroutine.
package explore
