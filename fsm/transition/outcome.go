package transition

// Outcome is what has become of the work that was admitted for a transition
// (section 9). It only moves forward.
type Outcome string

// The outcomes. REJECTED, APPLIED and FAILED are final.
const (
	OutcomeRejected  Outcome = "REJECTED"
	OutcomeQueued    Outcome = "QUEUED"
	OutcomeProposed  Outcome = "PROPOSED"
	OutcomeCommitted Outcome = "COMMITTED"
	OutcomeApplied   Outcome = "APPLIED"
	OutcomeFailed    Outcome = "FAILED"
)

var outcomeOrder = map[Outcome]int{
	"": 0, OutcomeQueued: 1, OutcomeProposed: 2, OutcomeCommitted: 3,
	OutcomeApplied: 4, OutcomeFailed: 4, OutcomeRejected: 4,
}

// Known says whether the word is an outcome, or none yet.
func (o Outcome) Known() bool {
	_, ok := outcomeOrder[o]
	return ok
}

// Final says whether the outcome changes no more.
func (o Outcome) Final() bool { return outcomeOrder[o] == 4 }

// Forward says whether an outcome may be seen after o. What was proposed cannot turn
// out to have been rejected.
func (o Outcome) Forward(next Outcome) bool {
	switch {
	case !next.Known():
		return false
	case o == next:
		return true
	case next == OutcomeRejected:
		return outcomeOrder[o] <= outcomeOrder[OutcomeQueued]
	default:
		return outcomeOrder[o] < outcomeOrder[next]
	}
}

// PublishState is whether the end of a transition is in the root.
type PublishState string

// The publish states. PUBLISH_FAILED is kept, shown and tried again.
const (
	PublishNotRequired PublishState = "NOT_REQUIRED"
	PublishPending     PublishState = "PENDING"
	PublishDone        PublishState = "PUBLISHED"
	PublishFailed      PublishState = "PUBLISH_FAILED"
)

// Known says whether the word is a publish state.
func (s PublishState) Known() bool {
	switch s {
	case PublishNotRequired, PublishPending, PublishDone, PublishFailed:
		return true
	default:
		return false
	}
}

// Owes says whether an end is still to be written to the root.
func (s PublishState) Owes() bool { return s == PublishPending || s == PublishFailed }
