// Package workqueue holds controller.Queue to the semantics of the work queue that
// Kubernetes controllers are written against: what is added once comes once, in the same
// order, at the same time, whatever the order of calls. It is a module of its own, so
// that nothing else depends on that one; nobody imports it.
package workqueue_test
