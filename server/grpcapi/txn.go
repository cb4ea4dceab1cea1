package grpcapi

import (
	"context"
	"strconv"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// Txn runs one branch of operations, all or none, as one turn.
func (s *Objects) Txn(ctx context.Context, in *candorv1.TxnRequest) (*candorv1.TxnResponse, error) {
	compares := make([]command.Compare, 0, len(in.GetCompares()))
	for i, c := range in.GetCompares() {
		compare, err := compareOf(c)
		if err != nil {
			return nil, candor.Errorf(candor.ReasonInvalid, "compares[%d]: %w", i, err)
		}
		compares = append(compares, compare)
	}
	if n := len(in.GetThen()) + len(in.GetOtherwise()); n > candor.MaxTurnObjects {
		return nil, candor.Errorf(candor.ReasonTurnTooLarge, "the transaction has %d operations; at most %d are allowed", n, candor.MaxTurnObjects)
	}
	var b built
	result, err := s.propose(ctx, in.GetWrite(), digestOfRequest(in, in.GetWrite()), compares, b.by(func() (then, otherwise []command.Operation, err error) {
		if then, err = s.operations(in.GetThen()); err == nil {
			otherwise, err = s.operations(in.GetOtherwise())
		}
		return then, otherwise, err
	}))
	if err != nil {
		return nil, err
	}
	out := &candorv1.TxnResponse{Succeeded: result.Succeeded, Result: s.writeAnswer(result, in.GetWrite().GetDryRun())}
	out.Result.Warnings = s.warnings(&b, result, true)
	for _, op := range result.Ops {
		r := &candorv1.TxnOperationResult{Changed: op.Changed}
		if op.Version != nil && !in.GetWrite().GetOmitObject() {
			r.Object = objectOf(op.Version)
		}
		out.Results = append(out.Results, r)
	}
	return out, nil
}

func compareOf(c *candorv1.Compare) (command.Compare, error) {
	out := command.Compare{Ref: candor.Ref{Kind: candor.KindName(c.GetKind()), Namespace: c.GetNamespace(), Name: c.GetName()}}
	switch condition := c.GetCondition().(type) {
	case *candorv1.Compare_Exists:
		out.Condition = command.IfExists
		if condition.Exists {
			out.Number = 1
		}
	case *candorv1.Compare_ResourceVersion:
		out.Condition, out.Number = command.IfResourceVersion, condition.ResourceVersion
	case *candorv1.Compare_Generation:
		out.Condition, out.Number = command.IfGeneration, condition.Generation
	case *candorv1.Compare_Uid:
		out.Condition, out.UID = command.IfUID, condition.Uid
	case *candorv1.Compare_RootRevision:
		return command.Compare{Condition: command.IfRootRevision, Number: condition.RootRevision}, nil
	default:
		return out, candor.Errorf(candor.ReasonInvalid, "it has no condition")
	}
	if out.Ref.Kind == "" || out.Ref.Name == "" {
		return out, candor.Errorf(candor.ReasonInvalid, "it names no object")
	}
	return out, nil
}

func (s *Objects) operations(in []*candorv1.TxnOperation) ([]command.Operation, error) {
	out := make([]command.Operation, 0, len(in))
	for i, operation := range in {
		op, err := s.operation(operation)
		if err != nil {
			return nil, candor.Wrap("operation "+strconv.Itoa(i), err)
		}
		out = append(out, op)
	}
	return out, nil
}

func (s *Objects) operation(in *candorv1.TxnOperation) (command.Operation, error) {
	switch op := in.GetOperation().(type) {
	case *candorv1.TxnOperation_Create:
		return s.createOperation(convert.ObjectFromProto(op.Create))
	case *candorv1.TxnOperation_Update:
		return s.updateOperation(convert.ObjectFromProto(op.Update))
	case *candorv1.TxnOperation_UpdateStatus:
		return s.statusOperation(command.VerbUpdateStatus, op.UpdateStatus)
	case *candorv1.TxnOperation_Observe:
		return s.statusOperation(command.VerbObserve, op.Observe)
	case *candorv1.TxnOperation_Delete:
		return deleteOperation(op.Delete), nil
	case *candorv1.TxnOperation_Get:
		return command.Operation{Verb: command.VerbGet, Kind: candor.KindName(op.Get.GetKind()), Namespace: op.Get.GetNamespace(), Name: op.Get.GetName()}, nil
	default:
		return command.Operation{}, candor.Errorf(candor.ReasonInvalid, "it says nothing to do")
	}
}
