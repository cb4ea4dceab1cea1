// Package monitor finds promises that are not kept: bounds on how long something may
// take, in cluster time, and what must hold at every moment, judged on a consistent copy
// of the objects. docs/promises.md lists them.
//
// It guarantees that what it finds follows from the copy, from what was seen of it
// before, and from what its Root says: no clock of a machine is asked about a promise.
// It writes nothing but objects of kind findings.candor, at most MaxOpen of them open,
// and mends nothing. What it cannot judge it leaves as it was found.
//
// Look, Memory, Watch and Book are pure and are called by tests one by one; a Monitor
// runs them. Package server runs the Monitor while it holds the duty verify.
package monitor
