// Package read decides how a read is served and says so. It keeps the proofs of
// how far the view is behind the root, asks for new ones on a beacon, gathers
// what the node knows of itself, has package freshness decide, waits, captures
// one immutable view after all waits, and fills the witness.
//
// It guarantees that a STRONG answer contains everything acknowledged before
// the read began, that a BOUNDED answer contains everything acknowledged longer
// ago than its bound, and that a bound, a lag or a state which is not proven is
// absent. It refuses with a reason, never with a weaker class. grpcapi calls it;
// it may be called concurrently. docs/protocol.md, sections 3 to 6.
package read
