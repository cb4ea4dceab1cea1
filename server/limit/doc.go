// Package limit keeps one party from taking a node away from the others.
//
// A [Limiter] stands before every request. It guarantees that a class of
// requests never has more places in use than its settings say; that a request
// enters at once while there is room for it; that freed places go round-robin
// to the identities that wait, first come first served within each, so that a
// request waits for at most one round however much another identity asks for;
// that clients never take the places reserved for servers; and that what it
// remembers is bounded by settings and by what is under way, not by how many
// identities ever came.
//
// A [Gate] stands before the TLS handshake. It guarantees that no address, and
// no IPv6 /64, has more connections open than its settings say or opens them
// faster, and that one which tries costs an accept and a close.
//
// It refuses with QUEUE_SATURATED, in a message that names the bound, who met it
// and the flag that raises it, with a hint when to come again; whatever is refused
// was surely not done. It starts no goroutine, logs nothing and knows no roles:
// who may do what is decided elsewhere. A limit is this node's own: a party that
// speaks to three servers has three times the places.
//
// Package server makes both; the interceptors of its API call Enter and Watch
// from many goroutines at once. DESIGN.md says how it works and why.
package limit
