package transition

import "github.com/candor-plane/candor"

// Journal is what an executor knows of its work on one transition. It is not truth: a
// crash may lose it, and another executor begins its own.
type Journal struct {
	// ID is the transition's.
	ID       string
	Executor string
	// Phase is ADMITTED, EXECUTING or APPLIED.
	Phase   Phase
	Times   Times
	Outcome Outcome
	// Publish is PENDING until the root has taken the end, PUBLISH_FAILED while it
	// refuses it.
	Publish PublishState
	// Reason and Message are why the last attempt failed, Attempts how many have.
	Reason   candor.Reason
	Message  string
	Attempts int
}

// Transition is one as it is shown: its plan, where it stands, and whether it stands
// still.
type Transition struct {
	Plan   Plan
	Status Status
	// Stalled is nil while the transition is within its time, and after its end.
	Stalled *Stalled
}

// Merge shows what the root says of a transition together with its executors'
// journals, the oldest executor's first. The root decides whether it has ended;
// between plan and end the journal that is furthest does. A success that no root shows
// is APPLIED and owes its end, whatever a journal calls it. Journals of other
// transitions are passed over.
func Merge(plan Plan, root Status, journals ...Journal) Transition {
	t := Transition{Plan: plan, Status: root}
	if t.Status.Times.Planned == 0 {
		t.Status.Times.Planned = plan.PlannedAt
	}
	id := plan.ID()
	var best *Journal
	for i := range journals {
		j := &journals[i]
		if j.ID != id {
			continue
		}
		if t.Status.Outcome.Forward(j.Outcome) {
			t.Status.Outcome = j.Outcome
		}
		if best == nil || best.behind(j) {
			best = j
		}
	}
	if best != nil {
		t.Status.take(best)
	}
	return t
}

// End is the status that the turn writes when a verdict of Publish ends a transition:
// what the root said before, what the executor reports, and the end.
func (s Status) End(v Verdict, e *Event, revision uint64, now int64, report Journal) Status {
	if s.Outcome.Forward(report.Outcome) {
		s.Outcome = report.Outcome
	}
	s.take(&report)
	s.Phase, s.Revision, s.Publish = v.Phase, revision, PublishDone
	if v.Why != "" {
		s.Message = v.Why
	}
	if v.Phase == PhaseSuperseded {
		s.SupersededBy = e.SupersededBy
	}
	s.Times.Ended = now
	s.Times.ordered()
	return s
}

// shown is the phase of a journal as far as an executor can vouch for it.
func (j *Journal) shown() Phase {
	switch {
	case j.Phase.Succeeded():
		return PhaseApplied
	case j.Phase == PhaseAdmitted, j.Phase == PhaseExecuting, j.Phase == PhaseApplied:
		return j.Phase
	case j.Phase.Terminal():
		return PhaseExecuting
	default:
		return PhasePlanned
	}
}

// behind says whether the other journal is further, or as far and later.
func (j *Journal) behind(other *Journal) bool {
	a, b := j.shown(), other.shown()
	if a != b {
		return Forward(a, b)
	}
	return other.Times.Of(b) > j.Times.Of(a)
}

// take adds a journal's work to what the root says. Where the root knows an end, what
// an executor did later is left out.
func (s *Status) take(j *Journal) {
	if s.Executor == "" {
		s.Executor = j.Executor
	}
	mine, theirs := s.Times.named(), j.Times.named()
	for i := 1; i < len(mine)-1; i++ {
		at := *theirs[i].at
		if *mine[i].at == 0 && (s.Times.Ended == 0 || at <= s.Times.Ended) {
			*mine[i].at = at
		}
	}
	s.Times.ordered()
	if s.Phase.Terminal() {
		return
	}
	if p := j.shown(); Forward(s.Phase, p) {
		s.Phase = p
	}
	s.Reason, s.Message = j.Reason, j.Message
	if j.Publish == PublishFailed {
		s.Publish = PublishFailed
	}
}

// ordered lets no phase begin before the one that it follows: a node may know less of
// cluster time than the turn that planned.
func (t *Times) ordered() {
	last := int64(0)
	for _, n := range t.named() {
		if *n.at != 0 {
			*n.at = max(*n.at, last)
			last = *n.at
		}
	}
}
