// Package zoo puts known mistakes back, one at a time, so that tests can see the checks
// find them.
//
// A build without the tag zoo has none of it: Enabled is a constant false, so that the
// compiler leaves out every place where a mistake could be made, and no name reaches the
// binary. In a build with the tag nothing is wrong either until a mistake is released:
// by the environment variable CANDOR_ZOO, which names one, or by [Release] in a test of
// one process. At most one is alive. A name that is none is refused with a panic.
//
//	if zoo.Enabled && zoo.Has(zoo.SkipFence) {
//		return nil
//	}
//
// Every mistake stands at one place, in front of the right thing. [Bugs] says what they
// are, docs/zoo.md what finds each, and how soon; `make zoo` sees that it is so. The
// package imports the standard library alone, and what is deterministic may import it:
// which mistake is alive does not change while a state machine runs.
package zoo
