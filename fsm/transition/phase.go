package transition

import "slices"

// Phase is how far a transition is.
type Phase string

// The phases. The first five follow one another; the others end a transition
// instead. ADMITTED, EXECUTING and APPLIED are an executor's, the rest the root's.
const (
	PhasePlanned   Phase = "PLANNED"
	PhaseAdmitted  Phase = "ADMITTED"
	PhaseExecuting Phase = "EXECUTING"
	PhaseApplied   Phase = "APPLIED"
	PhasePublished Phase = "PUBLISHED"

	// PhaseCompleted: it was so already.
	PhaseCompleted  Phase = "COMPLETED"
	PhaseCancelled  Phase = "CANCELLED"
	PhaseConflicted Phase = "CONFLICTED"
	PhaseSuperseded Phase = "SUPERSEDED"
	PhaseAborted    Phase = "ABORTED"
	PhaseFailed     Phase = "FAILED"
)

// AnswerPending is no phase: a plan is answered with it while the same one is
// pending, whose own phase tells more.
const AnswerPending Phase = "PENDING"

var (
	course = []Phase{PhasePlanned, PhaseAdmitted, PhaseExecuting, PhaseApplied, PhasePublished}
	ends   = []Phase{PhasePublished, PhaseCompleted, PhaseCancelled, PhaseConflicted, PhaseSuperseded, PhaseAborted, PhaseFailed}
)

// Phases are all of them, those of the course first.
func Phases() []Phase { return slices.Concat(course, ends[1:]) }

// Known says whether the word is a phase.
func (p Phase) Known() bool { return slices.Contains(course, p) || p.Terminal() }

// Terminal says whether nothing follows the phase.
func (p Phase) Terminal() bool { return slices.Contains(ends, p) }

// Succeeded says whether the phase is an end at which the intent holds.
func (p Phase) Succeeded() bool { return p == PhasePublished || p == PhaseCompleted }

// Forward says whether a transition that was seen in one phase may be seen in the
// other later. Phases between may have passed unseen; none comes twice, and nothing
// follows an end.
func Forward(from, to Phase) bool {
	switch {
	case !to.Known():
		return false
	case from == "" || from == to:
		return true
	case from.Terminal():
		return false
	case to.Terminal():
		return true
	default:
		return slices.Index(course, from) < slices.Index(course, to)
	}
}
