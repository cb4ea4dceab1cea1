package grpcapi

import (
	"encoding/json"

	"google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/internal/wire"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// checkForwarded refuses a command of another server that must not reach the
// log: one that would stop every server that applies it, now and at every
// start, or leave in the state what no answer can carry. What a server proposes
// itself is none of these by construction; what arrives may be damaged, of a
// newer build, or nobody's. The rest the turn decides.
func checkForwarded(data []byte) error {
	var c command.Command
	if len(data) == 0 {
		return candor.Errorf(candor.ReasonInvalid, "the forwarded command is empty")
	}
	if err := command.DecodeCommand(data, &c); err != nil {
		return candor.Errorf(candor.ReasonInvalid, "the forwarded command does not decode: %w", err)
	}
	switch {
	case c.Type < command.TypeWrite || c.Type > command.TypeBeat:
		return candor.Errorf(candor.ReasonFeatureLevel, "the forwarded command is of type %d, which this build does not know: run a newer build here", c.Type)
	case c.Type == command.TypeRaiseLevel && c.Level > candor.FeatureLevel:
		return candor.Errorf(candor.ReasonFeatureLevel, "this build supports feature level %d, not %d", candor.FeatureLevel, c.Level)
	case c.Type == command.TypeLeaderStart, c.Type == command.TypeTick:
		return candor.Errorf(candor.ReasonInvalid, "%s is a leader's own and is not forwarded", c.Type)
	case c.Type == command.TypeHello && c.ServerID == "":
		return candor.Errorf(candor.ReasonInvalid, "the forwarded announcement names no server")
	case c.Actor == "" || len(c.Actor) > candor.MaxActorBytes:
		return candor.Errorf(candor.ReasonInvalid, "the forwarded command has an actor of %d bytes; want 1 to %d", len(c.Actor), candor.MaxActorBytes)
	case !presentable(&candor.Object{APIVersion: c.ServerID, Kind: c.ServerName, Metadata: candor.Metadata{Name: c.APIAddress, UID: c.RequestID}}, &c):
		return candor.Errorf(candor.ReasonInvalid, "the forwarded command has text that is no UTF-8")
	}
	for i := range c.Compares {
		if n := c.Compares[i].Condition; n < command.IfExists || n > command.IfRootRevision {
			return candor.Errorf(candor.ReasonFeatureLevel, "the forwarded command compares by condition %d, which this build does not know: run a newer build here", n)
		}
	}
	for _, branch := range [][]command.Operation{c.Then, c.Else} {
		for i := range branch {
			if err := checkForwardedOperation(&branch[i], &c); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkForwardedOperation(op *command.Operation, c *command.Command) error {
	o := op.Object
	switch op.Verb {
	case command.VerbCreate, command.VerbUpdate:
	case command.VerbUpdateStatus, command.VerbObserve:
		o = &candor.Object{Status: op.Payload}
	case command.VerbDelete, command.VerbGet:
		return nil
	default:
		return candor.Errorf(candor.ReasonFeatureLevel, "the forwarded command has an operation of verb %d, which this build does not know: run a newer build here", op.Verb)
	}
	if o == nil {
		return candor.Errorf(candor.ReasonInvalid, "the forwarded %s has no object", op.Verb)
	}
	for _, part := range []json.RawMessage{o.Spec, o.Status} {
		if len(part) > 0 && !json.Valid(part) {
			return candor.Errorf(candor.ReasonInvalid, "the forwarded %s of %s has a part that is no JSON", op.Verb, op.Ref())
		}
	}
	if !presentable(o, c) {
		return candor.Errorf(candor.ReasonInvalid, "the forwarded %s has text that is no UTF-8", op.Verb)
	}
	if op.Verb != command.VerbCreate {
		return nil
	}
	if o.Metadata.UID == "" {
		return candor.Errorf(candor.ReasonInvalid, "the forwarded %s of %s has no uid", op.Verb, op.Ref())
	}
	if o.Metadata.Namespace != "" {
		if err := candor.CheckNamespace("metadata.namespace", o.Metadata.Namespace); err != nil {
			return err
		}
	}
	return candor.CheckName("metadata.name", o.Metadata.Name)
}

// presentable says whether the object, with the cause that the command gives
// it, has a wire form: a string that is no UTF-8 has none.
func presentable(o *candor.Object, c *command.Command) bool {
	shown := *o
	shown.Cause = &candor.Cause{Actor: c.Actor, Duty: c.Duty, Reason: c.Reason, Message: c.Message, Because: c.Because}
	return proto.Unmarshal(wire.AppendObject(nil, &shown), new(candorv1.Object)) == nil
}
