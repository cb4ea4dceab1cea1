// Package placement is what a turn knows of nodes and instances, as pure functions
// over the stored JSON of their objects: where an instance stands and what it holds,
// what a node has and whether it takes something, and the status that a placing turn
// writes.
//
// It reads by hand what was validated before the log, and finds nothing where it
// cannot read; it writes the same bytes for the same input. Rules and invariants of
// fsm call it, so that both mean the same by a live placement.
package placement
