// Package gossip finds the other servers of a cluster and passes hints between
// them: who is there, where they listen, whom they take for the leader, how far
// they have applied. It wraps hashicorp/memberlist and is wired by package server.
//
// It guarantees that a member it reports named this cluster's ID, that metadata
// fits the wire's 512 bytes for as long as the process lives, that no callback
// of the library waits for a lock held across I/O, a log sink or a subscriber,
// and that Close ends every goroutine it or the library started.
//
// A Keyring makes that so towards strangers too: it encrypts and authenticates
// all that is sent, is kept on disk, and rotates while gossip runs. Keys are
// known to people by fingerprint and are never printed.
//
// It refuses another cluster's servers, peers without the key, malformed
// metadata, an identity that does not fit, a damaged key ring, and plaintext
// beyond loopback unless told otherwise.
//
// Everything it says is a hint. No member list, state, leader, term, applied
// index or feature level from here may decide quorum, leadership, fencing, a
// proof, or the removal of a voter: those come from the root alone.
package gossip
