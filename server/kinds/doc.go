// Package kinds checks every object before it may reach the replicated log.
//
// It guarantees that what passes is complete and exact: the names, labels and
// owners of an object are well-formed, its spec (or status, or observed part)
// satisfies the JSON Schema of its kind with every default filled in, and the
// result is compact JSON whose text is otherwise the client's own: no number is
// rounded, no string rewritten, no member reordered. Preparing a prepared
// object changes nothing.
//
// It refuses unknown fields, duplicate keys, text that is not UTF-8, nesting
// beyond 64 levels and numbers that no arithmetic should meet, and names the
// path of every fault. A Kind object is refused unless its schemas compile and
// mean what they seem to mean: unknown keywords, references that leave the
// document and defaults that would never apply are faults.
//
// Of the built-in kinds it also refuses what no schema can say and would mean nothing
// to who acts on it: a selector that does not parse, a name whose instances would not fit
// a label, a rollout that could never take a step (see meaning.go).
//
// Everything here runs before the log and nothing in a turn: a new version of
// the schema library may change what is accepted next, never what was.
//
// The servers of the object service call it, from many goroutines at once.
// DESIGN.md says how it works and why.
package kinds
