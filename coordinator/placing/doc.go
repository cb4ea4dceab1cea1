// Package placing runs the scheduler as a duty: it keeps the scheduler's model up with
// a copy of the objects, has instances decided that wait, in batches, and puts what was
// decided through the root. The next batch is decided once the copy has what the one
// before it made, so that a decision rests on nothing but the state at its token and
// the earlier ones of its own batch, and can be replayed.
//
// It guarantees nothing about what it writes: the turn judges each placement again. An
// instance for which nothing fits waits in the scheduler's queue for a change that may
// help it, never for a time. Package server runs it under the duty schedule.
package placing
