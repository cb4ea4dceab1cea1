// Package drill does harm to a cluster on purpose and says what came of it: it runs
// a scenario's traffic and faults on a Stage, records every operation, heals,
// holds the record against every promise, and gives an account with a verdict.
//
// It guarantees that PASS means: every fault was seen to bite, there was enough
// traffic, every check had enough to check, and none found a violation; that
// everything is healed and ended when Run returns, also when its context was
// canceled; and that the account says what was used and how to run it again. A
// fault that did not bite, or too little traffic, is INCONCLUSIVE.
//
// The command line calls it, and tests do, on processes and in virtual time.
package drill
