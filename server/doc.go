// Package server is one node: it wires the replica, the state machine, reads,
// gRPC, gossip, diagnostics and the janitor, and gives them one life.
//
// Start returns once the node listens; it becomes part of a cluster in the
// background. Close ends everything it started and waits for it. Command
// candor and servertest call it; everything that a node does lives in the
// packages below.
package server
