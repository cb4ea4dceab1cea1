// Package policy holds a cluster against the failure policy that its nodes are under, while
// a drill has them fall silent, or what its workers run, while a drill ends it or has its
// probes fail.
//
// It guarantees that a VIOLATION is one whatever this machine did: what came too soon was
// seen too soon, and what came too late was still missing in an answer that was asked for
// after its time. What a machine that is too busy leaves open is INCONCLUSIVE. It looks at
// nodes, and at a workload of its own that nobody else touches; or at the instances of the
// stage's own. The command line begins it with the drill of a scenario that has a policy,
// and adds what it finds to the account.
package policy
