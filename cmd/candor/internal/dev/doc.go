// Package dev runs a cluster of real server processes on this machine: for a
// first look, for tests by hand, and for demonstrations of failure.
//
// It guarantees that the processes end with it, also when it is killed, that a
// folder it used before is taken up again with the same names and ports, and
// that a second terminal can kill, start, stop or pause a node. Command
// `candor dev` calls it.
package dev
