// Package client is the Go SDK of a candor cluster.
//
// A Client routes each call to the node that can answer it, repeats what is
// safe to repeat, and checks what comes back:
//
//   - An acknowledged write was made exactly once. Every write carries a request
//     ID and the cluster time after which the root refuses it, so an attempt
//     that got no answer is sent again and answers what the first one did.
//   - A write that failed was surely not made, unless its error has the reason
//     OUTCOME_UNKNOWN; that error's Subject is the request ID to ask Outcome for.
//   - A read is as fresh as it asked to be, or refused. STRONG ones are the
//     leader's; BOUNDED and BEST_EFFORT ones, and STRONG ones
//     WithFollowerReadIndex, are spread over the nearest nodes in good condition.
//     Only AcceptStale ever weakens a read, and the answer's witness says so.
//   - Reads see the caller's own writes and never go back in time, whichever
//     nodes serve them: the Session keeps the highest root token seen and every
//     read requires it, and the highest era of every duty. A session can be saved
//     and taken up by another process.
//   - An answer that breaks its promise (a weaker freshness than asked for or than
//     its own witness proves, a token below the one required, a node going
//     backward within one boot, another history, an era that is over) is an error
//     with a *WitnessError as its cause, never a result. That there is no such
//     object is an answer like any other.
//   - How old an answer may be by now, the way included, is what WithAge tells; no
//     clocks are compared.
//   - A Watch goes on over the death of any server, and leaves one that can prove
//     nothing any more, after the last revision that it delivered: no gap, no
//     duplicate. What cannot be resumed is COMPACTED.
//
// Nothing is decided by the text of a message, and no error is only a transport
// error: every one is a *candor.Error, whose Reason says what follows from it.
// What does is one table, in testdata/policy.md.
//
// Diagnostics and Node speak to one node each, and work without a quorum.
//
// A Client is safe for concurrent use and holds no lock across a call. It starts
// no goroutines of its own; Close ends the connections that gRPC serves.
package client
