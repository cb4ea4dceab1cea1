// Package budgets counts how many instances each disruption budget allows to be taken
// away, and takes them.
//
// Decide counts; Take is the one way to use what was counted: the turn that evicts an
// instance also takes it from every budget that selects it, on the condition that each
// is still as it was read, so that two evictors never use one allowance twice. It
// guarantees that a budget that does not say anything sensible, or was not counted since
// it changed, allows nothing. The duty controllers runs its Controller; whoever evicts
// calls Take.
package budgets
