// Package watches is the record of what watches delivered, and the checkers that hold
// it against the promises of docs/protocol.md: events come in the order of revisions,
// each once, whole turns at a time, those that were asked for and no others, none is
// left out of what a batch or a bookmark says was delivered, what they say was there
// before was there, a list and a watch from there make the state, and a start below the
// floor is refused.
//
// It guarantees that a violation is proof: what must have been delivered follows from
// acknowledged writes, from what the cluster keeps, or from what another watch
// delivered, and whatever nobody recorded is given the benefit of the doubt. It refuses
// records that contradict themselves, talks to no cluster and starts no goroutines.
// Package evidence calls it, and tests do.
package watches
