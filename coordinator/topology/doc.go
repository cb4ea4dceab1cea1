// Package topology changes who the members are: the arithmetic of it, and the duty
// that does it (docs/protocol.md, section 8).
//
// Plan is pure: what a change would leave of the quorum, whether it may be made, and
// which steps it takes. What it knows of the members is what its caller has just
// proved: who answers, and how far each view is. It refuses with the numbers, and says
// in one sentence what forcing would risk. A plan is made from the present members, so
// a plan that was interrupted is made again and holds what is left to do. The dry run
// of the command line calls it too.
//
// The Executor carries out what the root has planned, a step at a time, on the Raft
// leader. It guarantees that it costs no quorum that was not given up by force, as far
// as those who answered go on answering, and that what it began the next holder ends.
// It asserts nothing: that a change has happened the root sees by itself. Package
// server runs it as a duty and satisfies Root and Members.
package topology
