// Package controller runs reconcilers: level-based code that looks at what is, compares
// it with what is wanted, and writes the difference.
//
// It guarantees that a key is worked on by one worker at a time, that a key that is
// enqueued while it is worked on is worked on again, that a reconcile sees every write
// that an earlier one of the same key made, that nothing is written outside a
// controller's declared outputs, and that each request says what led to it. It refuses
// controllers whose declarations do not fit together, and it ends when the right to
// write has ended.
//
// It knows neither servers nor clients: the objects come from an informer.Store, and
// what is written goes through a Writer. A duty of a server runs one, and so does a
// program outside the tree, over client.Cache.
package controller
