// Package durability holds what a cluster has in the end against what it acknowledged:
// every acknowledged write is there, once, at its revision; nothing is there that nobody
// wrote; what surely failed never appears; and a call that is repeated is done once.
//
// It guarantees that a violation is proof: it follows from operations that were
// recorded and from versions that the cluster itself answered with, read after the run;
// what is compacted is given the benefit of the doubt. It talks to no cluster and
// starts no goroutines. Package evidence calls it, and tests do.
package durability
