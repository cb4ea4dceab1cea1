// Package scenario is what a drill does, as data: the cluster, the traffic, the
// faults with their times and targets, and what is expected. Scenarios are YAML;
// those in the library are part of the binary.
//
// It guarantees that a Scenario that Parse returned is whole: every fault is of a
// kind that exists, has the fields which that kind needs and no others, and ends
// before the load does. It refuses everything else with reason INVALID, naming the
// file's line where it can. It starts nothing and is pure; package drill runs what
// is written here, on processes and in virtual time alike.
package scenario
