package grpcapi

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/tenure"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// validations is how often a write is validated again because its kind moved
// between validation and turn.
const validations = 4

// builder makes the operations of a write against the kinds as they now are.
type builder func() (then, otherwise []command.Operation, err error)

// Create makes an object.
func (s *Objects) Create(ctx context.Context, in *candorv1.CreateRequest) (*candorv1.CreateResponse, error) {
	object := convert.ObjectFromProto(in.GetObject())
	res, err := s.writeOne(ctx, in.GetWrite(), digestOf(command.VerbCreate, object), func() (command.Operation, error) {
		return s.createOperation(object)
	})
	if err != nil {
		return nil, err
	}
	return &candorv1.CreateResponse{Result: res}, nil
}

// Update replaces an object's desired state and client metadata.
func (s *Objects) Update(ctx context.Context, in *candorv1.UpdateRequest) (*candorv1.UpdateResponse, error) {
	object := convert.ObjectFromProto(in.GetObject())
	res, err := s.writeOne(ctx, in.GetWrite(), digestOf(command.VerbUpdate, object), func() (command.Operation, error) {
		return s.updateOperation(object)
	})
	if err != nil {
		return nil, err
	}
	return &candorv1.UpdateResponse{Result: res}, nil
}

// UpdateStatus replaces the reconciled part of status.
func (s *Objects) UpdateStatus(ctx context.Context, in *candorv1.UpdateStatusRequest) (*candorv1.UpdateStatusResponse, error) {
	res, err := s.writeOne(ctx, in.GetWrite(), digestOfRequest(in, in.GetWrite()), func() (command.Operation, error) {
		return s.statusOperation(command.VerbUpdateStatus, in)
	})
	if err != nil {
		return nil, err
	}
	return &candorv1.UpdateStatusResponse{Result: res}, nil
}

// Observe replaces status.observed.
func (s *Objects) Observe(ctx context.Context, in *candorv1.ObserveRequest) (*candorv1.ObserveResponse, error) {
	res, err := s.writeOne(ctx, in.GetWrite(), digestOfRequest(in, in.GetWrite()), func() (command.Operation, error) {
		return s.statusOperation(command.VerbObserve, in)
	})
	if err != nil {
		return nil, err
	}
	return &candorv1.ObserveResponse{Result: res}, nil
}

// Delete ends an object, or marks it where finalizers or contents hold it.
func (s *Objects) Delete(ctx context.Context, in *candorv1.DeleteRequest) (*candorv1.DeleteResponse, error) {
	res, result, err := s.writeResult(ctx, in.GetWrite(), digestOfRequest(in, in.GetWrite()), single(func() (command.Operation, error) {
		return deleteOperation(in), nil
	}))
	if err != nil {
		return nil, err
	}
	removed := len(result.Ops) > 0 && result.Ops[0].Version != nil && result.Ops[0].Version.Deleted
	return &candorv1.DeleteResponse{Result: res, Removed: removed}, nil
}

func (s *Objects) writeOne(ctx context.Context, w *candorv1.WriteOptions, digest uint64, build func() (command.Operation, error)) (*candorv1.WriteResult, error) {
	res, _, err := s.writeResult(ctx, w, digest, single(build))
	return res, err
}

func single(build func() (command.Operation, error)) builder {
	return func() ([]command.Operation, []command.Operation, error) {
		op, err := build()
		return []command.Operation{op}, nil, err
	}
}

func (s *Objects) writeResult(ctx context.Context, w *candorv1.WriteOptions, digest uint64, build builder) (*candorv1.WriteResult, *fsm.Result, error) {
	var b built
	result, err := s.propose(ctx, w, digest, nil, b.by(build))
	if err != nil {
		return nil, nil, err
	}
	out := s.writeAnswer(result, w.GetDryRun())
	out.Warnings = s.warnings(&b, result, false)
	if len(result.Ops) > 0 && result.Ops[0].Version != nil && !w.GetOmitObject() {
		out.Object = objectOf(result.Ops[0].Version)
	}
	return out, result, nil
}

// writeAnswer says what was done. Where the write's entry is of the term in which
// this node leads, the node led when the entry was committed.
func (s *Objects) writeAnswer(result *fsm.Result, dryRun bool) *candorv1.WriteResult {
	witness := s.reader.Witness(s.machine.View())
	witness.ServedByLeader = !dryRun && s.proposer.LedIn(result.Token.Term)
	return &candorv1.WriteResult{
		AcceptedRootToken: convert.TokenToProto(result.Token), Changed: result.Changed, Replayed: result.Replayed,
		Witness: convert.WitnessToProto(&witness),
	}
}

// propose validates, proposes, and validates again when the turn found that
// the kind had moved.
func (s *Objects) propose(ctx context.Context, w *candorv1.WriteOptions, digest uint64, compares []command.Compare, build builder) (*fsm.Result, error) {
	c, err := s.command(ctx, w, digest)
	if err != nil {
		return nil, err
	}
	c.Compares = compares
	var result *fsm.Result
	err = s.tracked(ctx, w, func() error {
		result, err = s.settle(ctx, c, w, build)
		return err
	})
	return result, err
}

func (s *Objects) settle(ctx context.Context, c *command.Command, w *candorv1.WriteOptions, build builder) (*fsm.Result, error) {
	for attempt := 1; ; attempt++ {
		var err error
		if c.Then, c.Else, err = s.build(ctx, build); err != nil {
			return nil, err
		}
		result, err := s.execute(ctx, c, w)
		if err != nil {
			return nil, err
		}
		err = result.Err()
		if err == nil {
			return &result, nil
		}
		if !kindMoved(&result) || attempt == validations {
			return nil, &decided{withWitness(err, s.reader.Witness(s.machine.View()))}
		}
		if err := s.proposer.WaitApplied(ctx, result.Token.Index); err != nil {
			return nil, err
		}
	}
}

// build validates against this node's view. A refusal counts only if the view
// is proven to hold everything acknowledged: it may be a follower's, or one of a
// leader that is none any more. Without that proof the refusal is the proof's
// own, which sends the client to the leader.
func (s *Objects) build(ctx context.Context, build builder) (then, otherwise []command.Operation, err error) {
	then, otherwise, err = build()
	if err == nil {
		err = mayOperate(ctx, s.machine.View(), then, otherwise)
	}
	switch candor.ReasonOf(err) {
	case candor.ReasonForbidden:
		if _, _, unproven := s.reader.View(ctx, candor.ReadRequest{Freshness: candor.FreshnessStrong}); unproven != nil {
			return nil, nil, unproven
		}
		return then, otherwise, mayOperate(ctx, s.machine.View(), then, otherwise)
	case candor.ReasonNotFound, candor.ReasonUnknownKind, candor.ReasonSectionForbidden, candor.ReasonConflict, candor.ReasonAlreadyExists:
		if _, _, unproven := s.reader.View(ctx, candor.ReadRequest{Freshness: candor.FreshnessStrong}); unproven != nil {
			return nil, nil, unproven
		}
		return build()
	default:
		return then, otherwise, err
	}
}

// permitted judges by this node's view, and refuses by a proven one.
func (s *Objects) permitted(ctx context.Context, operations []command.Operation) error {
	_, _, err := s.build(ctx, func() (then, otherwise []command.Operation, err error) { return operations, nil, nil })
	return err
}

func (s *Objects) execute(ctx context.Context, c *command.Command, w *candorv1.WriteOptions) (fsm.Result, error) {
	if w.GetDryRun() {
		return s.machine.View().DryRun(c, time.Now().UnixNano()), nil
	}
	return s.proposer.Propose(ctx, c, w.GetExpectedConfigurationIndex())
}

// kindMoved says whether the turn refused because the Kind object changed.
func kindMoved(r *fsm.Result) bool {
	const prefix = "kinds/"
	return r.Reason == candor.ReasonConflict && len(r.Subject) > len(prefix) && r.Subject[:len(prefix)] == prefix && len(r.Fields) == 0 && r.Revision != 0
}

// command starts a write from its options.
func (s *Objects) command(ctx context.Context, w *candorv1.WriteOptions, digest uint64) (*command.Command, error) {
	p := PrincipalOf(ctx)
	c := &command.Command{
		Type: command.TypeWrite, Actor: p.Actor, Verified: p.Verified(), Accessor: p.Accessor, RequestID: w.GetRequestId(), NotAfter: w.GetNotAfter(), Digest: digest,
		Reason: w.GetReason(), Message: w.GetMessage(), Because: convert.VersionRefFromProto(w.GetBecause()),
	}
	if t := w.GetReadToken(); t != nil {
		c.ReadToken = convert.TokenFromProto(t)
	}
	if err := checkActor(c.Actor); err != nil {
		return nil, err
	}
	if w.GetDuty() != "" {
		holder, err := tenure.HolderOf(c.Actor)
		if err != nil {
			return nil, err
		}
		c.Duty, c.Era, c.Holder = w.GetDuty(), w.GetEra(), holder
	}
	switch {
	case len(c.RequestID) > candor.MaxRequestIDBytes:
		return nil, candor.Errorf(candor.ReasonInvalid, "request ID has %d bytes; at most %d are allowed", len(c.RequestID), candor.MaxRequestIDBytes)
	case c.RequestID != "" && c.NotAfter == 0:
		return nil, candor.Errorf(candor.ReasonInvalid, "request %s has no not_after: without it the root cannot know how long to remember the outcome", c.RequestID)
	case len(c.Reason)+len(c.Message) > 4096:
		return nil, candor.Errorf(candor.ReasonInvalid, "reason and message have %d bytes; at most 4096 are allowed", len(c.Reason)+len(c.Message))
	}
	return c, nil
}

func newUID() string { return uuid.NewString() }
