package grpcapi

import (
	"context"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// Outcomes knows how far the requests came that this server took.
type Outcomes interface {
	// Begin says that a call deals with a request, End that it is over: REJECTED
	// or FAILED with the reason, or nothing where it was done or nobody knows.
	Begin(actor, requestID string)
	End(actor, requestID string, outcome candor.Outcome, reason candor.Reason)
	// Find is empty for a request that is not known here, or was done: then the
	// root tells.
	Find(actor, requestID string) (outcome candor.Outcome, reason candor.Reason, token candor.Token)
}

// Outcome says what became of a write: what this node's view remembers as
// accepted, and otherwise how far the attempts came that this node took.
func (s *Objects) Outcome(ctx context.Context, in *candorv1.OutcomeRequest) (*candorv1.OutcomeResponse, error) {
	_, witness, err := s.view(ctx, in.GetRead())
	if err != nil {
		return nil, err
	}
	actor := ActorOf(ctx)
	// In this order: what is done goes from here to the root, and not back.
	outcome, reason, token := s.outcomes.Find(actor, in.GetRequestId())
	if r, ok := s.machine.Outcome(actor, in.GetRequestId()); ok {
		outcome, reason, token = candor.OutcomeApplied, "", r.Token
	}
	out := &candorv1.OutcomeResponse{Outcome: convert.OutcomeToProto(outcome), Reason: string(reason), Witness: convert.WitnessToProto(&witness)}
	if !token.IsZero() {
		out.AcceptedRootToken = convert.TokenToProto(token)
	}
	return out, nil
}

// tracked carries out a call that deals with a request, so that its outcome can
// be asked for meanwhile and afterwards.
func (s *Objects) tracked(ctx context.Context, w *candorv1.WriteOptions, call func() error) (err error) {
	id, actor := w.GetRequestId(), ActorOf(ctx)
	if id == "" || w.GetDryRun() || len(id) > candor.MaxRequestIDBytes || len(actor) > candor.MaxActorBytes {
		return call()
	}
	s.outcomes.Begin(actor, id)
	defer func() {
		outcome, reason := became(err)
		s.outcomes.End(actor, id, outcome, reason)
	}()
	return call()
}

// became is what the error of a call says of its request: nothing where it was
// done, or may have been.
func became(err error) (candor.Outcome, candor.Reason) {
	reason := candor.ReasonOf(err)
	switch {
	case err == nil, reason == candor.ReasonOutcomeUnknown, reason == candor.ReasonRootTokenNotReached:
		return "", ""
	case isDecided(err):
		return candor.OutcomeFailed, reason
	default:
		return candor.OutcomeRejected, reason
	}
}
