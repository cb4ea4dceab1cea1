// Package disk does to a server's disk what disks do: it holds, delays and fails
// the syncs of the log, fills what room there is, and damages files.
//
// It guarantees that a server under it is a server like any other while nothing is
// asked for, that every fault is counted where it was seen to come about, and that
// what it mounts is in no other process's sight and is gone with this process,
// however that ends. Where the kernel has not what it takes it refuses, with reason
// UNIMPLEMENTED and the kernel's word.
//
// Package stage calls it, and so do tests of whole servers.
package disk
