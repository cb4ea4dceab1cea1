//go:build !nowitness

package freshness

// Unwitnessed is true in a build with the tag nowitness alone. There an answer to
// Get carries no witness and a client takes one without: against it bench measures
// what the witness costs. Such a build keeps no promise to a reader.
const Unwitnessed = false
