// Package scheduler decides where instances go, and says why.
//
// It guarantees that a decision depends on nothing but the objects that were applied
// to its Model, the order of the batch, and Algorithm: no clock, no randomness, no
// floats, no order of maps or of application. Deciding again gives the same digest,
// in explain mode as well.
//
// It refuses to write: what it returns is proposed by others, and the turn judges it
// again. It holds no lock: a Model and its Queue belong to one goroutine at a time,
// Clone makes another.
//
// The duty schedule calls Batch and Queue; servers call Decide, Smallest, Replay,
// Impossible and Plan on models of their own; the verifier calls Replay.
package scheduler
