// Package lineage holds the history of a duty's object against the guarantees of
// tenures (docs/protocol.md, section 7): that eras follow one another without a gap,
// each cites the seal of the one before it and starts where that one ended or above,
// that every seal is the digest of what its era says, and that none was ever changed.
//
// It guarantees that a violation is proof: it follows from versions that the root
// wrote, and whatever is compacted is given the benefit of the doubt. It says what the
// versions do not cover. It refuses an object that does not read as a tenure, for that
// is damage, and talks to no cluster: whoever calls it has read the history.
//
// The command line calls it (candor tenure audit), and tests do.
package lineage
