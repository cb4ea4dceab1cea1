// Package coordinator has one node hold the duties that are its to hold: it
// campaigns for them, acts under the tenures that it wins, renews them, hands them
// over, and sees every handover to its end.
//
// It guarantees that a duty runs here only between a grant that this node's view
// shows and the end of that era, as far as this node knows it; what this node does
// not know the fence in the turn makes harmless (docs/protocol.md, section 7). A
// duty that panics or fails is started again with a growing pause, touches no other,
// and is given up when it goes on failing. Each duty has a keeper, one goroutine that
// looks at the root whenever a tenure or the leader changes and decides anew: it
// remembers nothing that a restart must not forget.
//
// Who takes what: the Raft leader campaigns for every duty that is free to it, at
// once for those of the leader before it. Another node takes one that was handed to
// it, or that no leader has wanted for a while. A holder that took a duty because it
// led hands it to the next leader; one to whom it was handed keeps it.
//
// Package server makes one and satisfies Root and Node. The package knows neither
// Raft nor gRPC.
package coordinator
