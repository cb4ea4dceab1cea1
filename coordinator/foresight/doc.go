// Package foresight makes a change happen on a copy of the state: what the workload
// controller would then make and end, before any of it runs, and where the scheduler
// would put it.
//
// It guarantees that what it says is decided by the functions that decide it when it
// happens, on the state that it was given, and that nothing else is read or written.
// It goes no further than what controllers do at once: it does not wait for instances
// to run. Package server calls it for `candor plan`; a Foresight belongs to one
// goroutine.
package foresight
