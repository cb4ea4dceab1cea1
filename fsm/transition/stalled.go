package transition

// Cause is why a transition stands still.
type Cause string

// The causes.
const (
	// CauseNoHolder: the duty that would go on has no active tenure.
	CauseNoHolder Cause = "NO_HOLDER"
	// CauseNotAdmitted: planned, and no executor took it.
	CauseNotAdmitted Cause = "NOT_ADMITTED"
	// CauseNotBegun: admitted, and not executed.
	CauseNotBegun Cause = "NOT_BEGUN"
	// CauseExecutionOverdue: executing for longer than it may.
	CauseExecutionOverdue Cause = "EXECUTION_OVERDUE"
	// CauseNotPublished: applied, and the root does not know its end.
	CauseNotPublished Cause = "NOT_PUBLISHED"
	// CausePublishFailed: the root refused its end.
	CausePublishFailed Cause = "PUBLISH_FAILED"
)

// Causes are all of them.
func Causes() []Cause {
	return []Cause{CauseNoHolder, CauseNotAdmitted, CauseNotBegun, CauseExecutionOverdue, CauseNotPublished, CausePublishFailed}
}

// Next is what will move a transition that stands still.
type Next string

// The next actions.
const (
	NextAwaitHolder Next = "AWAIT_HOLDER"
	NextAdmit       Next = "ADMIT"
	NextExecute     Next = "EXECUTE"
	NextRetry       Next = "RETRY"
	NextPublish     Next = "PUBLISH"
	NextReassess    Next = "REASSESS"
	// NextOperator: it will not move by itself; cancel it, or mend what its reason says.
	NextOperator Next = "OPERATOR"
)

// Stalled overlays a phase that has passed its deadline.
type Stalled struct {
	Cause Cause
	// Since is when the phase began, Deadline what it has passed; cluster time.
	Since, Deadline int64
	Next            Next
}

// Due is when the present phase is overdue, in cluster time: at the plan's deadline,
// or a phase limit after the phase began, whichever is first. 0 is never.
func (t *Transition) Due() int64 {
	due := t.Plan.Deadline
	if t.Status.Phase.Terminal() {
		return 0
	}
	if limit := t.Plan.PhaseLimit; limit > 0 {
		if at := t.since() + limit; due == 0 || at < due {
			due = at
		}
	}
	return due
}

// since is when the present phase began; the planning where that is not known.
func (t *Transition) since() int64 {
	if at := t.Status.Times.Of(t.Status.Phase); at != 0 {
		return at
	}
	return t.Plan.PlannedAt
}

// Overdue is the overlay at a cluster time, nil within the deadline. held says that
// the duty that executes has an active tenure.
func (t *Transition) Overdue(now int64, held bool) *Stalled {
	due := t.Due()
	if due == 0 || now <= due {
		return nil
	}
	s := &Stalled{Since: t.since(), Deadline: due}
	s.Cause, s.Next = t.standstill()
	if !held {
		s.Cause, s.Next = CauseNoHolder, NextAwaitHolder
	}
	return s
}

func (t *Transition) standstill() (Cause, Next) {
	switch {
	case t.Status.Publish == PublishFailed:
		return CausePublishFailed, NextReassess
	case t.Status.Phase == PhaseApplied:
		return CauseNotPublished, NextPublish
	case t.Status.Phase == PhasePlanned:
		return CauseNotAdmitted, NextAdmit
	case t.Status.Phase == PhaseAdmitted:
		return CauseNotBegun, NextExecute
	case permanent(t.Plan.Retry):
		return CauseExecutionOverdue, NextOperator
	default:
		return CauseExecutionOverdue, NextRetry
	}
}
