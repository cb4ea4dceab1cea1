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
//   - Reads see the caller's own writes and never go back in time, whichever
//     nodes serve them: the Session keeps the highest root token seen and every
//     read requires it. A session can be saved and taken up by another process.
//   - An answer that breaks its promise (a weaker freshness than asked for, a
//     token below the one required, a node going backward within one boot,
//     another history) is an error, never a result.
//   - A Watch goes on over the death of any server, after the last revision that
//     it delivered: no gap, no duplicate. What cannot be resumed is COMPACTED.
//
// Nothing is decided by the text of a message, and no error is only a transport
// error: every one is a *candor.Error, whose Reason says what follows from it.
//
// A Client is safe for concurrent use and holds no lock across a call. It starts
// no goroutines of its own; Close ends the connections that gRPC serves.
package client
