package convert

import (
	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// OutcomeToProto is UNSPECIFIED, "this node knows nothing of it", for the empty
// word and any other.
func OutcomeToProto(o candor.Outcome) candorv1.Outcome {
	switch o {
	case candor.OutcomeRejected:
		return candorv1.Outcome_OUTCOME_REJECTED
	case candor.OutcomeQueued:
		return candorv1.Outcome_OUTCOME_QUEUED
	case candor.OutcomeProposed:
		return candorv1.Outcome_OUTCOME_PROPOSED
	case candor.OutcomeCommitted:
		return candorv1.Outcome_OUTCOME_COMMITTED
	case candor.OutcomeApplied:
		return candorv1.Outcome_OUTCOME_APPLIED
	case candor.OutcomeFailed:
		return candorv1.Outcome_OUTCOME_FAILED
	default:
		return candorv1.Outcome_OUTCOME_UNSPECIFIED
	}
}

// OutcomeFromProto is empty for any other value.
func OutcomeFromProto(p candorv1.Outcome) candor.Outcome {
	switch p {
	case candorv1.Outcome_OUTCOME_REJECTED:
		return candor.OutcomeRejected
	case candorv1.Outcome_OUTCOME_QUEUED:
		return candor.OutcomeQueued
	case candorv1.Outcome_OUTCOME_PROPOSED:
		return candor.OutcomeProposed
	case candorv1.Outcome_OUTCOME_COMMITTED:
		return candor.OutcomeCommitted
	case candorv1.Outcome_OUTCOME_APPLIED:
		return candor.OutcomeApplied
	case candorv1.Outcome_OUTCOME_FAILED:
		return candor.OutcomeFailed
	default:
		return ""
	}
}
