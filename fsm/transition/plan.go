package transition

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/candor-plane/candor"
)

// Plan is what the root stores of a transition when it is planned, the spec of its
// object. It never changes.
type Plan struct {
	Kind   Kind
	Target string
	// Revision is that of the planning turn.
	Revision uint64
	// Source is what the planner had read.
	Source candor.Token
	// Intent is a JSON object that begins and ends with its braces. Its bytes are its
	// identity: planners write it deterministically.
	Intent json.RawMessage
	// Duty and Era are the tenure that the plan was made under, if any.
	Duty string
	Era  uint64
	// PlannedAt is cluster time; so is Deadline, 0 for none. PhaseLimit is how long one
	// phase may last in nanoseconds, 0 for as long as the deadline allows.
	PlannedAt, Deadline, PhaseLimit int64
	// Configuration is the index of the members that the plan was made for; 0 for any.
	Configuration uint64
	// Retry is what may be done about a failed execution.
	Retry candor.RetryClass
	// Parent is the transition that this one is a step of.
	Parent string
	// Actor, Reason and Message are the cause.
	Actor, Reason, Message string
}

// ID names the transition.
func (p *Plan) ID() string { return ID(p.Kind, p.Target, p.Revision) }

// Digest is the intent's.
func (p *Plan) Digest() Digest { return IntentDigest(p.Kind, p.Target, p.Intent) }

// Record is what the root's index holds of a plan that is pending.
func (p *Plan) Record() Record {
	return Record{ID: p.ID(), Planned: p.Revision, Intent: p.Digest(), Phase: PhasePlanned}
}

// Status is how a planned transition begins.
func (p *Plan) Status() Status {
	return Status{Phase: PhasePlanned, Publish: PublishPending, Times: Times{Planned: p.PlannedAt}}
}

// Check returns an Error of reason INVALID for a plan that must not enter the root.
func (p *Plan) Check() *candor.Error {
	if err := p.Kind.Check(); err != nil {
		return err
	}
	switch {
	case p.Target == "" || len(p.Target) > MaxTargetBytes || !utf8.ValidString(p.Target):
		return candor.Errorf(candor.ReasonInvalid, "transition target: want 1 to %d bytes of UTF-8, have %d", MaxTargetBytes, len(p.Target))
	case len(p.Intent) < 2 || len(p.Intent) > MaxIntentBytes || p.Intent[0] != '{' || p.Intent[len(p.Intent)-1] != '}':
		return candor.Errorf(candor.ReasonInvalid, "transition intent: want a JSON object of at most %d bytes, have %d", MaxIntentBytes, len(p.Intent))
	case p.Revision == 0 || p.Source.Revision >= p.Revision:
		return candor.Errorf(candor.ReasonInvalid, "transition source %s is not before the planning turn at revision %d", p.Source, p.Revision)
	case p.PlannedAt < 0 || p.Deadline < 0 || p.PhaseLimit < 0:
		return candor.Errorf(candor.ReasonInvalid, "transition times: want none below 0, have planned at %d, deadline %d, phase limit %d", p.PlannedAt, p.Deadline, p.PhaseLimit)
	default:
		return nil
	}
}

// Times are when each phase began, in cluster time; 0 where that is not known.
type Times struct {
	Planned, Admitted, Executing, Applied, Ended int64
}

// Of is when the phase began.
func (t *Times) Of(p Phase) int64 {
	switch p {
	case PhasePlanned:
		return t.Planned
	case PhaseAdmitted:
		return t.Admitted
	case PhaseExecuting:
		return t.Executing
	case PhaseApplied:
		return t.Applied
	default:
		return t.Ended
	}
}

// Status is where a transition stands. In the root it is PLANNED or an end, the
// status of its object; merged with a journal it may be any phase.
type Status struct {
	Phase Phase
	// Revision is that of the turn that ended it; 0 before.
	Revision uint64
	Times    Times
	Executor string
	Outcome  Outcome
	Publish  PublishState
	// Reason and Message say why it ended as it did, or why it has not moved.
	Reason  candor.Reason
	Message string
	// SupersededBy is the ID of the transition that took its place.
	SupersededBy string
}

// Disposable says whether the object of an ended transition may be removed: keep
// nanoseconds after its end. One that still owes its end to the root never is.
func (s *Status) Disposable(now, keep int64) bool {
	return s.Phase.Terminal() && s.Revision != 0 && !s.Publish.Owes() && now-s.Times.Ended >= keep
}
