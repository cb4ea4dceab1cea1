// Package process runs servers as processes of this machine: it begins, signals and
// ends them, and reads why they ended.
//
// It guarantees that no process outlives the one that began it, where the system has
// a way to see to that (Linux), that a Run whose end was awaited is gone and reaped,
// and that what a server wrote is in its log file, whole, once it has ended. It
// refuses nothing but what the system refuses.
//
// Package stage calls it, and tests of whole servers.
package process
