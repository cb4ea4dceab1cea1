// Package workload is the traffic of drills: clients that read, write, watch, take
// numbers and have instances placed, and everything that they were answered.
//
// It guarantees that every call that a check could need is in the record, refused and
// unanswered ones too, with what was asked for; that no two writes of one run have the
// same value; that every writer of a recorded object is recorded; and that no refusal
// ends a client: it goes on until its context ends, and Run returns once the last call
// under way has. It refuses nothing and judges nothing: the checkers of verify do.
//
// All of it is built on the client and on timers, so that it runs on processes and in
// virtual time alike, and on whatever faults befall the cluster meanwhile. Objects are
// of the kind [Kind] and live in a namespace for each workload, which [Clean] removes;
// those of placements are workloads, instances and nodes.
//
// Package drill runs what a scenario names; tests of clusters do too.
package workload
