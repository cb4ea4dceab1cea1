// Package merge decides what `apply` makes of a manifest: a three-way merge of
// what was applied last, what the root holds now and what the manifest says.
//
// It guarantees that a field which the manifest names has the manifest's
// value; that a field which an earlier manifest named and this one does not is
// removed; and that every other field stays as others left it. Objects merge
// member by member, lists are replaced whole, and null means "must be absent".
//
// Of the last manifest only the names of its fields are needed, so that is all
// the annotation keeps: an object does not carry its own text twice, and what
// a manifest says is not readable in an annotation. The command line calls
// this package; it does no I/O.
package merge
