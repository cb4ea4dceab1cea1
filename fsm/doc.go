// Package fsm is the root's state machine: (state, command, index, cluster
// time) -> (state, result, events), the same on every replica and at every
// replay.
//
// One command is one turn. A turn works on a draft; it commits whole or leaves
// nothing behind but, where it was a fault or broke an invariant, a record of
// that. Several commands to a log entry are several turns, published together
// through one atomic pointer (View), which any goroutine reads without locks.
//
// There is no clock, randomness, goroutine, I/O, float or map order here; time
// comes in the entry. What a turn does changes only with the replicated
// feature level. server/replica feeds it and is the only caller of Apply
// and Restore, from one goroutine.
package fsm
