// Package history is the record of what clients asked a cluster and what it
// answered, and the checkers that hold the record against the promises of
// docs/protocol.md: linearizability, bounded staleness, sessions, and honest
// witnesses.
//
// It guarantees that a violation is proof: each names the operations that
// cannot all be true of a cluster that keeps its promises, whatever the
// scheduling, the network and the clocks did. For that, times are of the one
// process that recorded, the interval of an operation only ever contains what
// it describes, and whatever is not known (a write without an answer, what
// there was before the recording) is given the benefit of the doubt. The
// reverse does not hold: a PASS says that nothing was found in so many items,
// and a check with fewer items than its caller demands says INCONCLUSIVE.
//
// It refuses records that contradict themselves, naming the line. It talks to
// no cluster: a [Recorder] is handed one, and checkers are pure functions of a
// [History].
//
// Tests of package integration and server/servertest record and check with it,
// and the command line checks files. The format of those files is documented
// in DESIGN.md, so that other systems' histories can be checked as well. A
// Recorder may be used concurrently, and so may a History; everything else
// belongs to one goroutine. The package starts no goroutines.
package history
