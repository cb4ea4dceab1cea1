// Package generate makes a drill's scenario from a step of a lifecycle that nobody has
// seen yet: traffic and faults that make the step likely.
//
// It guarantees that what it returns is a valid scenario, the same for the same step.
// Likely is no promise: a drill that runs it says whether it saw the step. A step that
// no fault brings about is refused with NOT_FOUND, and the message says who does. It is
// pure; `candor verify coverage` calls it.
package generate
