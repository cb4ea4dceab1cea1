package transition

import (
	"slices"

	"github.com/candor-plane/candor"
)

// Record is what the root's index holds of one transition.
type Record struct {
	ID string
	// Planned is the revision of the planning turn, Ended of the one that ended it.
	Planned, Ended uint64
	Intent         Digest
	// Phase is PLANNED or an end.
	Phase Phase
	// Shown is the log index at which the root showed that the intent holds; 0 before.
	// It counts for derived kinds alone.
	Shown        uint64
	SupersededBy string
}

// IsZero says whether there is none.
func (r Record) IsZero() bool { return r.ID == "" }

// Entry is what the root's index holds of one kind and target: the transition that is
// pending, and the newest one that ended. Either may be zero.
type Entry struct {
	Pending, Ended Record
}

// Changed is the revision of the last turn that changed the entry.
func (e Entry) Changed() uint64 { return max(e.Pending.Planned, e.Ended.Ended) }

// Facts are what an event is judged by.
type Facts struct {
	Entry Entry
	// Satisfied says that the root shows the event's intent to hold. It is false for
	// kinds that are not derived.
	Satisfied bool
}

// EventType is what an event asks for.
type EventType string

// The events.
const (
	EventPlan     EventType = "plan"
	EventCancel   EventType = "cancel"
	EventTerminal EventType = "terminal"
)

// Event is a request to begin, to give up, or to end a transition.
type Event struct {
	Type   EventType
	Kind   Kind
	Target string
	Intent Digest
	// Planned is the planning turn's revision of the transition that is meant. It is 0
	// for a plan; a cancellation with 0 means whatever pends with its intent.
	Planned uint64
	// Source is what the planner had read. What ended later it has not seen, and so a
	// late duplicate of a plan begins nothing.
	Source uint64
	// Expect is the revision at which the sender assessed the event; 0 for none. What
	// would be applied is refused if the entry has changed since.
	Expect uint64
	// Phase is the end that a terminal event asserts, SupersededBy what took the place
	// of a transition that is SUPERSEDED.
	Phase        Phase
	SupersededBy string
}

// asserted are the ends that a terminal event may name; CANCELLED takes a cancel.
var asserted = []Phase{PhasePublished, PhaseCompleted, PhaseConflicted, PhaseSuperseded, PhaseAborted, PhaseFailed}

// Check returns an Error of reason INVALID for an event that means nothing.
func (e *Event) Check() *candor.Error {
	if err := e.Kind.Check(); err != nil {
		return err
	}
	var wrong string
	switch {
	case e.Target == "" || len(e.Target) > MaxTargetBytes:
		wrong = "has no target, or one that is too long"
	case e.Intent.IsZero():
		wrong = "has no intent digest"
	case e.Type == EventPlan && (e.Source == 0 || e.Planned != 0):
		wrong = "must say what its planner had read, and no planned revision"
	case e.Type == EventTerminal && e.Planned == 0:
		wrong = "does not say which transition it ends"
	case e.Type == EventTerminal && !slices.Contains(asserted, e.Phase):
		wrong = "does not name an end that an executor may assert"
	case e.Type == EventTerminal && (e.Phase == PhaseSuperseded) != (e.SupersededBy != ""):
		wrong = "must name what superseded it exactly when it is SUPERSEDED"
	case e.Type != EventPlan && e.Type != EventCancel && e.Type != EventTerminal:
		wrong = "is of no known type"
	default:
		return nil
	}
	return candor.Errorf(candor.ReasonInvalid, "transition event %.20q of %s %s", string(e.Type), e.Kind, wrong)
}

// names says whether the event means the transition of the record.
func (e *Event) names(r *Record) bool {
	return !r.IsZero() && r.Intent == e.Intent && (e.Planned == 0 || e.Planned == r.Planned)
}

// Situation is the column of the table: how the event stands to what the root knows.
type Situation string

// The situations. The empty one is that of an event that means nothing.
const (
	SituationSamePending    Situation = "SAME_PENDING"
	SituationAlreadyDone    Situation = "ALREADY_DONE"
	SituationSuperseded     Situation = "SUPERSEDED"
	SituationAnotherPending Situation = "ANOTHER_PENDING"
	SituationNone           Situation = "NONE"
)

// Situate finds the column for a well-formed event.
func Situate(f Facts, e *Event) Situation {
	pending, ended := &f.Entry.Pending, &f.Entry.Ended
	switch {
	case e.names(pending):
		if e.Type == EventCancel && f.shown(e) {
			return SituationAlreadyDone
		}
		return SituationSamePending
	case e.Type == EventPlan && !pending.IsZero():
		return SituationAnotherPending
	case e.Type == EventPlan:
		return f.situatePlan(e)
	case e.names(ended):
		return situateEnded(ended, e)
	case !pending.IsZero():
		return SituationAnotherPending
	case e.Planned != 0 && e.Planned < ended.Planned:
		return SituationSuperseded
	default:
		return SituationNone
	}
}

// shown says whether the root itself shows, or has shown, that a derived intent holds.
func (f *Facts) shown(e *Event) bool {
	return e.Kind.Derived() && (f.Satisfied || f.Entry.Pending.Shown != 0)
}

// situatePlan is for a plan while nothing is pending. An end that the planner had
// read is history, and the same operation again a new transition.
func (f *Facts) situatePlan(e *Event) Situation {
	ended := &f.Entry.Ended
	switch {
	case e.Kind.Derived() && f.Satisfied:
		return SituationAlreadyDone
	case ended.Ended <= e.Source:
		return SituationNone
	case e.names(ended) && ended.Phase.Succeeded():
		return SituationAlreadyDone
	default:
		return SituationSuperseded
	}
}

// situateEnded is for a cancellation or an end of what has ended.
func situateEnded(ended *Record, e *Event) Situation {
	switch {
	case ended.Phase == PhaseSuperseded && e.Phase != PhaseSuperseded:
		return SituationSuperseded
	case e.Type == EventCancel && ended.Phase == PhaseCancelled:
		return SituationNone
	default:
		return SituationAlreadyDone
	}
}
