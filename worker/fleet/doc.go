// Package fleet is many nodes that run nothing: to see and to measure a control plane
// at a size for which there are no machines.
//
// To the cluster its nodes are nodes: each is registered, lives by heartbeats and has
// its instances observed, by the same code as a worker's. What an instance does is
// made up: it starts after a delay, runs, and ends when it is asked to, or now and then
// by itself. One watch and few requests serve all nodes. It guarantees what a worker
// does of reports: the newest is told, and none after a newer one.
//
// cmd runs a fleet in `candor worker --simulate N`.
package fleet
