//go:build nowitness

package freshness

// Unwitnessed: see the other file.
const Unwitnessed = true
