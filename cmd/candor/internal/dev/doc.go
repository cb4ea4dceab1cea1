// Package dev runs a cluster of real server and worker processes on this machine: for
// a first look, for tests by hand, and for demonstrations of failure.
//
// It guarantees that servers and workers end with it, also when it is killed, that a
// folder it used before is taken up again with the same names and ports, and that a
// second terminal can kill, start, stop or pause each. What workers run ends with Stop;
// where the whole was killed it is ended by the next start in that folder, and that of a
// temporary folder by the next start in another. Command `candor dev` calls it.
package dev
