package grpcapi

import (
	"context"
	"errors"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/policy"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// Objects is the object service.
type Objects struct {
	candorv1.UnimplementedObjectServiceServer
	machine  *fsm.Machine
	reader   Reader
	proposer Proposer
	kinds    Kinds
	changes  Changes
	outcomes Outcomes
	advisor  Advisor
	stopping <-chan struct{}
	groups   watchGroups
}

// NewObjects returns the service. Watches end when stopping is closed.
func NewObjects(machine *fsm.Machine, reader Reader, proposer Proposer, kinds Kinds, changes Changes, outcomes Outcomes, advisor Advisor, stopping <-chan struct{}) *Objects {
	if machine == nil || reader == nil || proposer == nil || kinds == nil || changes == nil || outcomes == nil || advisor == nil || stopping == nil {
		panic("grpcapi: every dependency of the object service is required")
	}
	return &Objects{machine: machine, reader: reader, proposer: proposer, kinds: kinds, changes: changes, outcomes: outcomes, advisor: advisor, stopping: stopping}
}

// Get reads one object.
func (s *Objects) Get(ctx context.Context, in *candorv1.GetRequest) (*candorv1.GetResponse, error) {
	ref := candor.Ref{Kind: candor.KindName(in.GetKind()), Namespace: in.GetNamespace(), Name: in.GetName()}
	view, witness, err := s.view(ctx, in.GetRead())
	if err != nil {
		return nil, err
	}
	if err := mayRead(ctx, view, policy.Get, in.GetKind(), ref.Namespace, ref.Name); err != nil {
		return nil, withWitness(err, witness)
	}
	v, err := view.Get(ref, in.GetRead().GetAtRevision())
	if err == nil {
		err = s.stillReadable(in.GetRead().GetAtRevision())
	}
	if err != nil {
		return nil, withWitness(err, witness)
	}
	if v == nil {
		return nil, withWitness(s.missing(view, ref), witness)
	}
	if freshness.Unwitnessed {
		return convert.EncodedGet(v.Data, nil), nil
	}
	return convert.EncodedGet(v.Data, &witness), nil
}

// History lists the retained versions of one object, newest first.
func (s *Objects) History(ctx context.Context, in *candorv1.HistoryRequest) (*candorv1.HistoryResponse, error) {
	ref := candor.Ref{Kind: candor.KindName(in.GetKind()), Namespace: in.GetNamespace(), Name: in.GetName()}
	view, witness, err := s.view(ctx, in.GetRead())
	if err != nil {
		return nil, err
	}
	if err := mayRead(ctx, view, policy.Get, in.GetKind(), ref.Namespace, ref.Name); err != nil {
		return nil, withWitness(err, witness)
	}
	out := &candorv1.HistoryResponse{Witness: convert.WitnessToProto(&witness)}
	at := in.GetRead().GetAtRevision()
	view.Chain(ref, func(v *mvcc.Version) bool {
		if at != 0 && v.Revision > at {
			return true
		}
		out.Versions = append(out.Versions, &candorv1.ObjectVersion{Revision: v.Revision, Deleted: v.Deleted, Object: objectOf(v)})
		return true
	})
	out.Floor = s.machine.View().Floor()
	if len(out.GetVersions()) == 0 {
		return nil, withWitness(s.missing(view, ref), witness)
	}
	return out, nil
}

// stillReadable refuses what was read at an older revision if compaction
// passed that revision meanwhile: chains may have been cut under the reader.
func (s *Objects) stillReadable(revision uint64) error {
	if revision == 0 {
		return nil
	}
	return s.machine.View().Readable(revision)
}

// view serves a view as the read options ask.
func (s *Objects) view(ctx context.Context, o *candorv1.ReadOptions) (*fsm.View, candor.Witness, error) {
	return s.reader.View(ctx, readRequest(o))
}

func readRequest(o *candorv1.ReadOptions) candor.ReadRequest {
	q := candor.ReadRequest{
		Freshness: convert.FreshnessFromProto(o.GetFreshness()), AtRevision: o.GetAtRevision(), FollowerReadIndex: o.GetAllowFollowerReadIndex(),
	}
	if o != nil {
		q.MaxLag = o.MaxRootLag
	}
	if t := o.GetRequiredRootToken(); t != nil {
		q.Required = convert.PortableTokenFromProto(t)
	}
	if d := o.GetMaxStaleness(); d != nil {
		bound := d.AsDuration()
		q.MaxStaleness = &bound
	}
	return q
}

// missing is NOT_FOUND, or UNKNOWN_KIND when the kind is what does not exist.
func (s *Objects) missing(view *fsm.View, ref candor.Ref) error {
	if _, err := s.kinds.ByName(ref.Kind); err != nil {
		return err
	}
	return &candor.Error{Reason: candor.ReasonNotFound, Subject: ref.String(), Revision: view.Token().Revision, Message: ref.String() + " does not exist"}
}

// objectOf is the version as an answer carries it. The stored form is the wire
// form, so the message holds the stored bytes as they are, as fields that are
// not decoded: they go out unchanged and cost nothing. Its getters are of no
// use; whoever needs a field decodes the version.
func objectOf(v *mvcc.Version) *candorv1.Object {
	o := new(candorv1.Object)
	o.ProtoReflect().SetUnknown(v.Data)
	return o
}

// withWitness attaches the witness of the view that an error was found on.
func withWitness(err error, w candor.Witness) error {
	e := &candor.Error{}
	ok := errors.As(candor.Wrap("", err), &e)
	if !ok {
		return err
	}
	e.Witness = &w
	return e
}
