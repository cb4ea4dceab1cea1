// Package instances follows each instance through its life after it was placed: it tells
// from what its worker says whether it is ready, ends it when its process has ended, and
// lets it go when it may.
//
// Decide is the controller: a pure function of one instance and its node. It guarantees
// that the finalizer candor/stop, and with it what the instance holds of its node, stays
// until the worker has said that the process ended, or the node is gone, or the node
// controller has given the instance up as Lost; that a phase never leaves an end; and
// that the place and the decision of an instance are never touched. The duty controllers
// runs its Controller.
package instances
