// Package informer is a decoded, indexed copy of the objects of chosen kinds, kept by
// whoever follows the root: a server its own view, a client a list and a watch.
//
// It guarantees that a Reader never changes and shows whole revisions of each kind,
// that handlers are told of every change after the Reader that they began with, once
// and in order, and that a version is decoded at most once for each type. It refuses to
// go back, and kinds that it was not made for. Controllers call it through
// coordinator/controller, and directly.
package informer
