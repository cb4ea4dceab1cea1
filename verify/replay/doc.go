// Package replay runs the root's log again: entries, as a node keeps them, through the
// real state machine, from a snapshot or from the beginning, and compares the state's
// digest with every one that was published: by nodes, and in the trailers of snapshots.
//
// What it says of a log is proof: the state machine is deterministic, so that a digest
// which differs means that the log, the snapshot, the node or a build is not what it was.
// It refuses to judge what it has nothing to compare with: that is INCONCLUSIVE. It reads
// only, has no clock but to tell how fast it was, and keeps one state in memory.
//
// cmd/candor brings the sources: a data directory, a debug bundle, a running node; drill its servers.
package replay
