package grpcapi

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// verdictBudget bounds each class's attempt, so that a node that is cut off says
// so soon.
const verdictBudget = time.Second

// Freshness tries a read of each class here and tells what came of it.
func (s *Diagnostics) Freshness(ctx context.Context, in *candorv1.FreshnessRequest) (*candorv1.FreshnessResponse, error) {
	bounds := candor.ReadRequest{MaxLag: in.MaxRootLag}
	if d := in.GetMaxStaleness(); d != nil {
		bound := d.AsDuration()
		if bound <= 0 {
			return nil, candor.Errorf(candor.ReasonInvalid, "max_staleness %s: want more than 0", bound)
		}
		bounds.MaxStaleness = &bound
	}
	out := &candorv1.FreshnessResponse{}
	for _, c := range []struct {
		class    candor.Freshness
		follower bool
	}{{candor.FreshnessStrong, false}, {candor.FreshnessStrong, true}, {candor.FreshnessBounded, false}, {candor.FreshnessBestEffort, false}} {
		q := bounds
		q.Freshness, q.FollowerReadIndex = c.class, c.follower
		out.Verdicts = append(out.Verdicts, s.verdict(ctx, q))
	}
	out.Witness = s.witness()
	return out, nil
}

func (s *Diagnostics) verdict(ctx context.Context, q candor.ReadRequest) *candorv1.ClassVerdict {
	bounded, cancel := context.WithTimeout(ctx, verdictBudget)
	defer cancel()
	began := time.Now()
	_, witness, err := s.reader.View(bounded, q)
	v := &candorv1.ClassVerdict{
		Freshness: convert.FreshnessToProto(q.Freshness), AllowFollowerReadIndex: q.FollowerReadIndex, Served: err == nil,
		Witness: convert.WitnessToProto(&witness), Took: durationpb.New(time.Since(began)),
	}
	if err != nil {
		reason := candor.ReasonOf(err)
		v.Reason, v.Message, v.RetryClass = string(reason), err.Error(), string(reason.Disposition().Retry)
		if e, ok := errors.AsType[*candor.Error](err); ok {
			v.Message = e.Message
		}
	}
	return v
}

// WatchCatchUp streams the conditions that this node comes into.
func (s *Diagnostics) WatchCatchUp(_ *candorv1.WatchCatchUpRequest, stream grpc.ServerStreamingServer[candorv1.WatchCatchUpResponse]) error {
	position := uint64(0)
	for {
		conditions, next, changed := s.reader.Conditions(position)
		for i := range conditions {
			if err := stream.Send(changeOf(&conditions[i])); err != nil {
				return err
			}
		}
		position = next
		select {
		case <-changed:
		case <-stream.Context().Done():
			return stream.Context().Err()
		case <-s.stopping:
			return &candor.Error{Reason: candor.ReasonShuttingDown, Message: "the server stops"}
		}
	}
}

func changeOf(c *NodeCondition) *candorv1.WatchCatchUpResponse {
	return &candorv1.WatchCatchUpResponse{
		TokenBefore: convert.TokenToProto(c.Before), TokenAfter: convert.TokenToProto(c.After), At: timestamppb.New(c.At),
		State: convert.CatchUpStateToProto(c.State), Action: convert.CatchUpActionToProto(c.Action),
		DegradedMode: convert.DegradedModeToProto(c.Mode), Reason: c.Reason,
	}
}
