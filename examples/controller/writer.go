package main

import (
	"context"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/coordinator/controller"
)

// writer puts writes through the root under an era of a duty: once another has taken
// over, nothing of it is accepted any more, however late it arrives.
type writer struct {
	client *client.Client
	duty   string
	era    uint64
}

// Write commits one transaction.
func (w *writer) Write(ctx context.Context, write controller.Write) (uint64, error) {
	txn := w.client.Txn()
	for _, c := range write.Compares {
		txn.If(compares(c)...)
	}
	for _, op := range write.Ops {
		txn.Then(operation(op))
	}
	options := []client.WriteOption{client.WithTenure(w.duty, w.era), client.WithReason(write.Reason, write.Message), client.WithReadToken(write.Read)}
	if write.Because != nil {
		options = append(options, client.WithBecause(*write.Because))
	}
	done, err := txn.Commit(ctx, options...)
	switch {
	case err != nil:
		return 0, err
	case !done.Succeeded:
		return 0, candor.Errorf(candor.ReasonConflict, "what the write was decided on has changed")
	case !done.Changed:
		return 0, nil
	default:
		return done.Token.Revision, nil
	}
}

func compares(c controller.Compare) (all []client.Compare) {
	if c.Absent {
		return []client.Compare{client.IfAbsent(c.Ref)}
	}
	if c.UID != "" {
		all = append(all, client.IfUID(c.Ref, c.UID))
	}
	if c.ResourceVersion != 0 {
		all = append(all, client.IfVersion(c.Ref, c.ResourceVersion))
	}
	return all
}

func operation(op controller.Op) client.Op {
	switch op := op.(type) {
	case controller.Create:
		return client.OpCreate(op.Object)
	case controller.Update:
		return client.OpUpdate(op.Object)
	case controller.UpdateStatus:
		return client.OpUpdateStatus(op.Ref, op.Status, client.WithPreconditions(op.ResourceVersion, op.UID))
	case controller.Delete:
		return client.OpDelete(op.Ref, client.WithPreconditions(op.ResourceVersion, op.UID), client.WithPropagation(op.Propagation))
	default:
		panic("an operation that this controller never makes")
	}
}
