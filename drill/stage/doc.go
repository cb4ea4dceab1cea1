// Package stage is the cluster of a drill as processes of this machine, and what can
// be done to it: servers that are killed, stopped, paused, cut off, replaced and
// upgraded, disks that are slow, hang, fill, fail and rot, clocks that jump, clients
// that do not behave. It implements drill.Stage twice: New begins servers of its own,
// Dev does what it can to a cluster that `candor dev` runs.
//
// It guarantees that a fault which Inject returned is there, and counts what was seen
// of it; that a server which ended without being asked is told of, with why; that a
// server which wrote of a panic or a data race is a fault of the server, whatever was
// done to it; and that Close leaves no process, mount or directory, as does the end of
// this process, SIGKILL included (on Linux). It refuses, with reason UNIMPLEMENTED,
// the faults that this machine or this binary cannot make, and says what it takes.
//
// Package drill calls it, and so do tests of whole servers.
package stage
