package history

import (
	"errors"

	"github.com/candor-plane/candor"
)

// surelyNot says whether a write that failed with the reason was surely not
// made. That is what package client promises of every reason but
// OUTCOME_UNKNOWN, and checks find out when it is wrong; here more reasons are
// taken for unknown, because they tell of a fault and not of the write:
//
//   - ROOT_TOKEN_NOT_REACHED: a forwarded write was done, and the answering node
//     has not got there;
//   - INVARIANT_VIOLATED, TOKEN_CONFLICT and HISTORY_MISMATCH: the client refused
//     what came back;
//   - INTERNAL, and reasons that this build does not know.
func surelyNot(reason candor.Reason) bool {
	switch reason {
	case candor.ReasonOutcomeUnknown, candor.ReasonRootTokenNotReached, candor.ReasonInvariantViolated,
		candor.ReasonTokenConflict, candor.ReasonHistoryMismatch, candor.ReasonInternal:
		return false
	default:
		return reason.Known()
	}
}

// witnessOf is the witness that a refusal came with, or nil.
func witnessOf(err error) *candor.Witness {
	if e, ok := errors.AsType[*candor.Error](err); ok {
		return e.Witness
	}
	return nil
}
