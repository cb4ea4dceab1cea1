// Package determinism holds what servers say of their state against one another: the
// digest at an index is the same on every node and boot, and the same again where it
// was computed from the log or from a snapshot and the rest of the log; and the
// invariants that every turn is checked against were never broken.
//
// It guarantees that a violation is proof: two digests of one index differ, or a server
// says that a turn was blocked. It talks to no cluster and starts no goroutines.
// Package evidence calls it, and tests do.
package determinism
