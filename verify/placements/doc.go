// Package placements holds the record of instances and nodes against the promises of
// docs/protocol.md: an instance has one place, for good, and no two machines run it at
// once; it ends at most once; what live instances hold of a node never rises above what
// it has; and a decision that is taken again is the same.
//
// It guarantees that a violation is proof: it follows from versions that the root
// wrote, or from two claims that overlap in the clock of one process, and whatever is
// compacted or was not read is given the benefit of the doubt. It reads versions by the
// types of the API and not by the rules of the state machine, which would agree with
// their own mistakes. It talks to no cluster and starts no goroutines. Package evidence
// calls it, and tests do.
package placements
