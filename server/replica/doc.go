// Package replica is one server's share of the root: a Raft replica that
// drives an fsm.Machine. Package server wires one and puts requests through it.
//
// It guarantees that a command whose result it returns is committed and applied
// and has the place in the log that the result's token names; that a command
// which it refuses with a definite reason never appears; that everything in
// between is answered OUTCOME_UNKNOWN; that a read index was captured after the
// call and before a majority confirmed the term; and that Close ends every
// goroutine. It refuses what PROTOCOL.md, section 9, lists: admission happens
// here, once, before the log.
//
// What cannot be survived ends the process through Config.OnFatal: damage met
// while running, a disk that hangs, a log write that failed, an entry of a
// higher feature level. DESIGN.md argues the choices.
package replica
