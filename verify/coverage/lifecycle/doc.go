// Package lifecycle declares, as data, what the things of a cluster may go through:
// the states of a duty, an era, a transition, a member, an object, an instance, a
// node's view, and the steps between them.
//
// It guarantees that each lifecycle's steps join its own states, that every state is
// reached from the first, and that no step is declared twice; its tests hold it
// against the enumerations of the product. What is declared here is the D of
// verification: package coverage fails on a step that is not.
//
// Package coverage calls it, and drill/generate for what makes a step likely. It is
// pure, and nothing here is modified once it is returned.
package lifecycle
