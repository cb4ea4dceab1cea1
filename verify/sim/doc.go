// Package sim runs the root's state machine, the real one, under a seeded simulator
// of one goroutine: an event heap and a virtual clock, a model of the replicated log,
// and models of those who use it. DESIGN.md says what is real and what is modelled.
//
// A schedule is data: a setting and a list of choices, all drawn from a seed before
// anything runs. A choice carries its own randomness, so that leaving one out changes
// nothing about the others; that is how a failing schedule is made short. One seed
// gives one run, event by event, on every machine: Result.Trace is the digest of it.
//
// Run checks every turn and every state on the way and what was recorded at the end,
// and names the first check that failed. It refuses nothing but a schedule that
// contradicts itself. It has no clock, no I/O and no goroutine; Sweep spreads seeds
// over goroutines of its own. The command `candor verify sim` and tests call it.
package sim
