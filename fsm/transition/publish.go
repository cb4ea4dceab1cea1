package transition

import "github.com/candor-plane/candor"

// Action is what an event does.
type Action string

// The actions. SKIP changes nothing and is no error; REFUSE changes nothing and is.
const (
	ActionApply  Action = "APPLY"
	ActionSkip   Action = "SKIP"
	ActionRefuse Action = "REFUSE"
)

// Verdict is what becomes of an event.
type Verdict struct {
	Action Action
	// Phase is what the transition is in then, or the answer of an event that changes
	// nothing.
	Phase     Phase
	Situation Situation
	// Standing is the transition that the answer rests on; empty for none.
	Standing string
	// Why says more than the cell of the table; empty where that says it all.
	Why string
}

type cell struct {
	action Action
	phase  Phase
}

// The table of docs/protocol.md, section 8. The phase of a terminal event that
// applies is the one that it asserts.
var table = map[EventType]map[Situation]cell{
	EventPlan: {
		SituationSamePending:    {ActionSkip, AnswerPending},
		SituationAlreadyDone:    {ActionSkip, PhaseCompleted},
		SituationSuperseded:     {ActionSkip, PhaseSuperseded},
		SituationAnotherPending: {ActionRefuse, PhaseConflicted},
		SituationNone:           {ActionApply, PhasePlanned},
	},
	EventCancel: {
		SituationSamePending:    {ActionApply, PhaseCancelled},
		SituationAlreadyDone:    {ActionRefuse, PhaseAborted},
		SituationSuperseded:     {ActionSkip, PhaseSuperseded},
		SituationAnotherPending: {ActionRefuse, PhaseConflicted},
		SituationNone:           {ActionSkip, PhaseCancelled},
	},
	EventTerminal: {
		SituationSamePending:    {ActionApply, ""},
		SituationAlreadyDone:    {ActionSkip, PhaseCompleted},
		SituationSuperseded:     {ActionRefuse, PhaseAborted},
		SituationAnotherPending: {ActionRefuse, PhaseConflicted},
		SituationNone:           {ActionRefuse, PhaseAborted},
	},
}

// Assess says what Publish would do, and changes nothing.
func Assess(f Facts, e *Event) Verdict {
	if err := e.Check(); err != nil {
		return Verdict{Action: ActionRefuse, Phase: PhaseAborted, Why: err.Message}
	}
	s := Situate(f, e)
	c := table[e.Type][s]
	v := Verdict{Action: c.action, Phase: c.phase, Situation: s, Standing: f.standing(e, s)}
	if v.Action != ActionApply {
		return v
	}
	if e.Type == EventTerminal {
		v = f.truth(e, v)
	}
	if v.Action == ActionApply && e.Expect != 0 && f.Entry.Changed() > e.Expect {
		v.Action, v.Phase = ActionRefuse, PhaseConflicted
		v.Why = "the transitions of the target have changed since the event was assessed: assess it again"
	}
	return v
}

// Publish is the turn's rule: the entry after the event, which is the entry before it
// unless the verdict is APPLY. revision is the one that the turn makes.
func Publish(f Facts, e *Event, revision uint64) (Entry, Verdict) {
	v := Assess(f, e)
	if v.Action != ActionApply {
		return f.Entry, v
	}
	if e.Type == EventPlan {
		v.Standing = ID(e.Kind, e.Target, revision)
		next := f.Entry
		next.Pending = Record{ID: v.Standing, Planned: revision, Intent: e.Intent, Phase: PhasePlanned}
		return next, v
	}
	ended := f.Entry.Pending
	ended.Phase, ended.Ended, ended.SupersededBy = v.Phase, revision, e.SupersededBy
	if ended.Phase != PhaseSuperseded {
		ended.SupersededBy = ""
	}
	return Entry{Ended: ended}, v
}

// Err is the refusal as an error of reason CONFLICT, or INVALID for an event that
// means nothing; nil unless the action is REFUSE.
func (v Verdict) Err() *candor.Error {
	if v.Action != ActionRefuse {
		return nil
	}
	reason, why := candor.ReasonConflict, v.Why
	switch {
	case v.Situation == "":
		reason = candor.ReasonInvalid
	case why != "":
	case v.Phase == PhaseConflicted:
		why = "another transition of the target is pending: wait for it, or cancel it"
	case v.Situation == SituationAlreadyDone:
		why = "it has happened: there is nothing left to cancel"
	case v.Situation == SituationSuperseded:
		why = "a newer transition of the target has taken its place"
	default:
		why = "the root knows of no such transition that is pending"
	}
	return &candor.Error{Reason: reason, Subject: v.Standing, Message: string(v.Phase) + ": " + why}
}

// truth holds the end that is asserted against what the root shows: of a derived kind
// the root knows better than an executor.
func (f *Facts) truth(e *Event, v Verdict) Verdict {
	v.Phase = e.Phase
	switch shown := f.shown(e); {
	case !e.Kind.Derived():
	case shown && !e.Phase.Succeeded():
		v.Phase, v.Why = PhasePublished, "the root shows that it has happened"
	case !shown && e.Phase.Succeeded():
		v.Action, v.Phase, v.Why = ActionRefuse, PhaseAborted, "the root does not show that it has happened"
	}
	return v
}

func (f *Facts) standing(e *Event, s Situation) string {
	switch {
	case s == SituationSamePending, s == SituationAnotherPending, s == SituationAlreadyDone && e.names(&f.Entry.Pending):
		return f.Entry.Pending.ID
	case s == SituationSuperseded && e.names(&f.Entry.Ended) && f.Entry.Ended.SupersededBy != "":
		return f.Entry.Ended.SupersededBy
	case s == SituationSuperseded, e.names(&f.Entry.Ended):
		return f.Entry.Ended.ID
	default:
		return ""
	}
}
