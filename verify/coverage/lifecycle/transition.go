package lifecycle

import (
	"slices"

	"github.com/candor-plane/candor/fsm/transition"
)

// Stalled overlays a phase of a transition that has passed its deadline.
const Stalled State = "STALLED"

// pending are the phases of a transition that has not ended, as far as an executor's
// report and the root tell.
var pending = []State{
	State(transition.PhasePlanned), State(transition.PhaseAdmitted), State(transition.PhaseExecuting), State(transition.PhaseApplied), Stalled,
}

// ends are the words for how a transition ends.
var ends = []struct {
	to          transition.Phase
	event, says string
}{
	{transition.PhasePublished, "publish", "the root took its success, or saw it in the members"},
	{transition.PhaseCompleted, "complete", "its holder found it so already"},
	{transition.PhaseCancelled, "cancel", "somebody gave it up"},
	{transition.PhaseConflicted, "conflict", "its holder gave it up for another that stands in its way"},
	{transition.PhaseSuperseded, "supersede", "its holder gave it up for a newer one"},
	{transition.PhaseAborted, "abort", "its holder gave it up, or a new history ended it"},
	{transition.PhaseFailed, "fail", "it met a refusal that no waiting mends"},
}

// EndEvent is the event that ends a transition so; empty for a phase that is no end.
func EndEvent(p transition.Phase) string {
	for _, e := range ends {
		if e.to == p {
			return e.event
		}
	}
	return ""
}

func transitions() Lifecycle {
	const planned, admitted, executing, applied = State(transition.PhasePlanned), State(transition.PhaseAdmitted), State(transition.PhaseExecuting), State(transition.PhaseApplied)
	l := Lifecycle{
		Name: Transition, Of: "a transition, by its object and what its executor reported", Start: Absent,
		States: slices.Concat([]State{Absent}, pending),
		Steps: []Declared{
			{Absent, planned, "plan", "a plan entered the root"},
			{planned, admitted, "admit", "an executor took it"},
			{admitted, executing, "execute", "the executor began to change something"},
			{executing, applied, "apply", "the change was made, and the root does not know yet"},
			{planned, Stalled, "time", "cluster time passed the deadline of a transition that had not ended"},
		},
	}
	for _, e := range ends {
		to := State(e.to)
		l.States = append(l.States, to)
		l.Steps = append(l.Steps, every(pending, to, e.event, e.says)...)
		l.Steps = append(l.Steps, Declared{to, Gone, "dispose", "it was kept for long enough after its end, and removed"})
	}
	l.States = append(l.States, Gone)
	return l
}
