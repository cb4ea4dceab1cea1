// Package workloads makes the instances that a workload wants: so many, of the present
// template, changed over as its update strategy allows.
//
// Decide is the controller: a pure function of what one view shows and of cluster time,
// which answers with at most one write. Every write that makes, adopts or ends instances
// counts a step in the workload's status on the condition that the workload is still as
// it was read, so a decision on an older view, or one made twice, changes nothing. It
// guarantees at most replicas + maxSurge live instances, that it ends none that is
// available while no more than replicas - maxUnavailable of its view are, and names that
// are never given twice. It never writes a spec of a workload: what clients want is
// theirs, and going back is a matter of status.
//
// It refuses nothing: a strategy that allows no step and a priority class that does not
// exist are conditions. The duty controllers runs its Controller. See DESIGN.md.
package workloads
