// Package worker runs the instances that are placed on one machine.
//
// An Agent registers its node, says that it lives, follows the instances that carry
// its name, runs each under a shim of its own, and observes what became of them. It
// guarantees that an instance is run at most once at a time on the machine, that its
// processes go on when the worker ends and are found again by the next one, and that
// what is observed last is what is reported: an observation is not lost while the
// cluster is away, and an older one never follows a newer one. A worker that cannot
// reach the cluster keeps running what it has. One whose node another worker took over
// ends what it runs, reports nothing more, and ends; to another session of the same
// worker it leaves its processes. What goes wrong with one instance is that one's alone.
//
// It refuses a data directory that another worker uses, and runs only what was placed
// on its node by the node's UID: what was placed on a node of the same name before is
// stopped.
//
// cmd runs an Agent in `candor worker`, and package fleet in `candor worker
// --simulate`, which shares how nodes are kept alive and instances followed and
// observed. DESIGN.md says how the parts work together.
package worker
