// Package convert turns the vocabulary of the root package into the messages of
// rpc/candor/v1 and back, and errors into google.rpc.Status and back.
//
// It guarantees that what one side says arrives as the same words: a round trip
// loses nothing that has a wire form, an absent fact stays absent, and a word
// that this build does not know becomes the unknown of the other side, never
// the nearest guess. It refuses nothing: it is total over every message a peer
// can send, and judging what arrived is the caller's business.
//
// Converting shares byte slices and maps with its argument instead of copying
// them: hand an argument over, or leave it unmodified as long as the result is
// in use. Servers and the client call it; no function here blocks, and all may
// be called concurrently.
package convert
