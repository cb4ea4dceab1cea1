// Package nodes follows the machines that run instances: whether they are heard of, what
// they hold, and the emptying of those that are to be emptied.
//
// Decide is the controller: a pure function of a node, what is on it, its lease and
// cluster time. It guarantees that a node's condition Ready says what its lease and its
// failure policy say; that instances of a node that is not heard of are given up as Lost
// no sooner than the policy allows, in cluster time; and that an instance is evicted, for
// a drain or a taint, only together with its share of every disruption budget that
// selects it and while the node is still as it was read; and that a policy that says
// Cordon closes a silent node once in each silence, so that an operator who opens it
// again, heard or not, is not worked against. It asks to be called again at
// the exact time of the next deadline. It refuses nothing; what is
// cordoned is a field of spec that the scheduler reads, and what Cordon closed stays so
// until somebody opens it. The duty controllers runs its Controller. See coordinator/workloads/DESIGN.md.
package nodes
