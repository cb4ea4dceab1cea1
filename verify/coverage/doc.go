// Package coverage says which of the declared steps of every lifecycle were seen, and
// by whom: the explorer reaches them, simulations, bubbles, drills and the journals of
// production see them.
//
// It guarantees that a step is read off the root itself (two views and what lay between
// them) or off what a server's answers say, never off what somebody meant to do; that a
// step which no lifecycle declares is kept with both states and the place where it was
// first seen; and that merging what several runs saw does not depend on their order.
//
// What the explorer reached and nobody has seen is the unknown region: Summary lists it
// with the shortest path to each step, and with the chance that the next observation
// shows something new (Good and Turing). `candor verify coverage`, simulations and tests
// call it. A Coverage may be used by any goroutine.
package coverage
