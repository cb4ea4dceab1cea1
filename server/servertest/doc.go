// Package servertest runs a cluster in the test's own process: real servers,
// real raft and real gRPC, over links in memory that a test can cut. Nothing
// touches the network, nor the disk unless asked to, so it also runs in the
// virtual time of testing/synctest.
//
// It guarantees that Start returns a cluster that has a leader and whose
// servers know each other, and that everything has ended when the test has. A
// server that was stopped or killed comes back only WithData: otherwise its data
// went with it.
// Tests of package server, of the client and of anyone's controllers call it.
package servertest
