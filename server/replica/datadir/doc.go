// Package datadir is the directory in which one server keeps its share of the
// root: its identity, its log, its vote, its snapshot. Package replica runs
// raft on the stores that Open hands out; the offline commands inspect, seed and
// replace stores through it.
//
// It guarantees that only one process has the directory, that it belongs to the
// server, cluster and log store that the caller named, that every byte raft
// will rely on was checked before raft sees it, and that a stop recorded as
// clean lost nothing. Errors name the file.
//
// It refuses, and changes nothing: a directory in use (DATA_LOCKED), one of
// another server, cluster, format or log store (DATA_FOREIGN), and damage
// (DATA_CORRUPT). The one damage that it repairs is the tail that a crash left
// of a write nobody was promised; DESIGN.md says how that is told apart.
package datadir
