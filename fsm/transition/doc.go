// Package transition holds the rules of multi-step changes: who a transition is,
// what may become of it, and what a plan, a cancellation or an end does to what the
// root knows (docs/protocol.md, section 8).
//
// The root stores two things of a transition, its plan and how it ended, as spec and
// status of the object transitions.candor/<id>; where an executor stands between the
// two is in the executor's journal, and Merge shows both as one. Every function is
// pure: values in, values out, no clock and no map order, so that the turn, a
// coordinator that looks ahead, the explorer and tests run the same rules. Times are
// cluster time in nanoseconds.
//
// A second end, an end of what was replaced, and a success that the root does not
// show are refused. fsm calls Publish inside the turn; server calls Assess, Merge
// and Overdue on a view.
package transition
