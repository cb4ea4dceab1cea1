package server

import (
	"context"

	"github.com/google/uuid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
)

// dutyWriter carries out what controllers decided, under a grant.
type dutyWriter struct {
	s     *Server
	grant *coordinator.Grant
}

// Write puts the transaction through the root, and returns once this node's own view
// has it.
func (w *dutyWriter) Write(ctx context.Context, write controller.Write) (uint64, error) {
	c := &command.Command{
		Type: command.TypeWrite, Actor: candor.ActorSystem, ReadToken: write.Read,
		Reason: write.Reason, Message: write.Message, Because: write.Because,
	}
	for _, x := range write.Compares {
		c.Compares = append(c.Compares, compares(x)...)
	}
	for _, op := range write.Ops {
		made, err := w.operation(op)
		if err != nil {
			return 0, err
		}
		c.Then = append(c.Then, made)
	}
	result, err := w.s.settled(ctx, fenced(w.grant, c))
	switch {
	case err != nil:
		return 0, err
	case !result.Succeeded:
		return 0, candor.Errorf(candor.ReasonConflict, "what was compared has changed")
	default:
		return revisionOf(&result), nil
	}
}

// revisionOf is the one that a turn made, and 0 of one that changed nothing: no copy of
// some kinds alone need ever come as far as the newest of all.
func revisionOf(result *fsm.Result) uint64 {
	if !result.Changed {
		return 0
	}
	return result.Token.Revision
}

func compares(x controller.Compare) []command.Compare {
	if x.Absent {
		return []command.Compare{{Condition: command.IfExists, Ref: x.Ref, Number: 0}}
	}
	var out []command.Compare
	if x.UID != "" {
		out = append(out, command.Compare{Condition: command.IfUID, Ref: x.Ref, UID: x.UID})
	}
	if x.ResourceVersion != 0 {
		out = append(out, command.Compare{Condition: command.IfResourceVersion, Ref: x.Ref, Number: x.ResourceVersion})
	}
	if len(out) == 0 {
		out = append(out, command.Compare{Condition: command.IfExists, Ref: x.Ref, Number: 1})
	}
	return out
}

// operation validates and defaults, as the API does for its clients.
func (w *dutyWriter) operation(op controller.Op) (command.Operation, error) {
	ref := op.Target()
	kind, err := w.s.kinds.ByName(ref.Kind)
	if err != nil {
		return command.Operation{}, err
	}
	out := command.Operation{Kind: ref.Kind, KindRevision: kind.Revision(), Namespace: ref.Namespace, Name: ref.Name}
	switch x := op.(type) {
	case controller.Create:
		o := *x.Object
		o.Status, o.Observed = nil, nil
		o.Metadata.UID, o.Metadata.ResourceVersion = uuid.NewString(), 0
		out.Verb, out.Object = command.VerbCreate, &o
		err = kind.Prepare(&o)
	case controller.Update:
		o := *x.Object
		o.Status, o.Observed = nil, nil
		out.Verb, out.Object = command.VerbUpdate, &o
		err = kind.Prepare(&o)
	case controller.UpdateStatus:
		out.Verb, out.UID, out.ResourceVersion = command.VerbUpdateStatus, x.UID, x.ResourceVersion
		out.Payload, err = kind.PrepareStatus(x.Status)
	case controller.Delete:
		out.Verb, out.UID, out.ResourceVersion, out.KindRevision = command.VerbDelete, x.UID, x.ResourceVersion, 0
		if out.Propagation = x.Propagation; out.Propagation == "" {
			out.Propagation = candor.PropagateBackground
		}
	default:
		err = candor.Errorf(candor.ReasonInternal, "a controller's operation of type %T", op)
	}
	return out, err
}
