// Package topology is the arithmetic of membership: what a change would leave of the
// quorum, whether it may be made, and which steps it takes (docs/protocol.md,
// section 8).
//
// It is pure. What it knows of the members is what its caller has just proved: who
// answers, and how far each view is. It refuses with the numbers, and says in one
// sentence what forcing would risk. A plan is made from the present members, so a plan
// that was interrupted is made again and holds what is left to do. The coordinator's
// topology duty and the dry run of the command line call it.
package topology
