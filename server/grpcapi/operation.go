package grpcapi

import (
	"bytes"
	"encoding/json"
	"reflect"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/mvcc"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// errNoObject is for a request whose object is absent or damaged.
var errNoObject = &candor.Error{Reason: candor.ReasonInvalid, Message: "the request has no object", Fields: []candor.FieldViolation{{Path: "object", Message: "required field is missing"}}}

// createOperation validates and defaults a new object.
func (s *Objects) createOperation(in *candor.Object) (command.Operation, error) {
	if in == nil {
		return command.Operation{}, errNoObject
	}
	kind, err := s.kinds.ByType(in.APIVersion, in.Kind)
	if err != nil {
		return command.Operation{}, err
	}
	if len(in.Status)+len(in.Observed) > 0 {
		return command.Operation{}, sectionForbidden(in)
	}
	o := intentOf(in)
	o.Metadata.ResourceVersion = 0
	if err := s.nameOwners(o); err != nil {
		return command.Operation{}, err
	}
	if err := kind.Prepare(o); err != nil {
		return command.Operation{}, err
	}
	o.Metadata.UID = newUID()
	return command.Operation{Verb: command.VerbCreate, Kind: kind.Name(), KindRevision: kind.Revision(), Object: o}, nil
}

// updateOperation validates and defaults the new intent of an object. Status
// may come along unchanged, as it does after a read; it is never written here.
func (s *Objects) updateOperation(in *candor.Object) (command.Operation, error) {
	if in == nil {
		return command.Operation{}, errNoObject
	}
	kind, err := s.kinds.ByType(in.APIVersion, in.Kind)
	if err != nil {
		return command.Operation{}, err
	}
	o := intentOf(in)
	if err := s.nameOwners(o); err != nil {
		return command.Operation{}, err
	}
	if err := kind.Prepare(o); err != nil {
		return command.Operation{}, err
	}
	op := command.Operation{Verb: command.VerbUpdate, Kind: kind.Name(), KindRevision: kind.Revision(), Object: o}
	hasStatus := len(in.Status)+len(in.Observed) > 0
	if !hasStatus && kind.Name() != candor.KindKinds {
		return op, nil
	}
	live, err := s.live(candor.Ref{Kind: kind.Name(), Namespace: o.Metadata.Namespace, Name: o.Metadata.Name})
	if err != nil {
		return command.Operation{}, err
	}
	if hasStatus && (live == nil || !sameJSON(in.Status, live.Status) || !sameJSON(in.Observed, live.Observed)) {
		return command.Operation{}, sectionForbidden(in)
	}
	if live != nil && kind.Name() == candor.KindKinds {
		if err := checkKindUpdate(kind, live, o); err != nil {
			return command.Operation{}, err
		}
	}
	return op, nil
}

func checkKindUpdate(k Kind, live, next *candor.Object) error {
	var was, is candor.KindSpec
	if err := json.Unmarshal(live.Spec, &was); err != nil {
		return candor.Errorf(candor.ReasonDataCorrupt, "kinds/%s: stored spec does not decode: %w", live.Metadata.Name, err)
	}
	if err := json.Unmarshal(next.Spec, &is); err != nil {
		return candor.Errorf(candor.ReasonInvalid, "kinds/%s: spec: %w", next.Metadata.Name, err)
	}
	return k.CheckKindUpdate(was, is)
}

type statusWrite interface {
	GetKind() string
	GetNamespace() string
	GetName() string
	GetPreconditions() *candorv1.Preconditions
}

func (s *Objects) statusOperation(verb command.Verb, in statusWrite) (command.Operation, error) {
	kind, err := s.kinds.ByName(candor.KindName(in.GetKind()))
	if err != nil {
		return command.Operation{}, err
	}
	op := command.Operation{
		Verb: verb, Kind: kind.Name(), KindRevision: kind.Revision(), Namespace: in.GetNamespace(), Name: in.GetName(),
		ResourceVersion: in.GetPreconditions().GetResourceVersion(), UID: in.GetPreconditions().GetUid(),
	}
	switch in := in.(type) {
	case *candorv1.ObserveRequest:
		op.Payload, err = kind.PrepareObserved(in.GetObserved())
	case *candorv1.UpdateStatusRequest:
		op.Payload, err = kind.PrepareStatus(in.GetStatus())
	}
	return op, err
}

func deleteOperation(in *candorv1.DeleteRequest) command.Operation {
	return command.Operation{
		Verb: command.VerbDelete, Kind: candor.KindName(in.GetKind()), Namespace: in.GetNamespace(), Name: in.GetName(),
		ResourceVersion: in.GetPreconditions().GetResourceVersion(), UID: in.GetPreconditions().GetUid(),
		Propagation: convert.PropagationFromProto(in.GetPropagation()),
	}
}

// intentOf is what a client may write of an object.
func intentOf(in *candor.Object) *candor.Object {
	m := in.Metadata
	return &candor.Object{
		APIVersion: in.APIVersion, Kind: in.Kind, Spec: in.Spec,
		Metadata: candor.Metadata{
			Name: m.Name, Namespace: m.Namespace, UID: m.UID, ResourceVersion: m.ResourceVersion,
			Labels: m.Labels, Annotations: m.Annotations, Owners: m.Owners, Finalizers: m.Finalizers,
		},
	}
}

// live is the object in this node's newest view, or nil.
func (s *Objects) live(ref candor.Ref) (*candor.Object, error) {
	v, err := s.machine.View().Get(ref, 0)
	if err != nil || v == nil {
		return nil, err
	}
	return decode(v)
}

func decode(v *mvcc.Version) (*candor.Object, error) { return v.Object() }

func sectionForbidden(o *candor.Object) error {
	return &candor.Error{Reason: candor.ReasonSectionForbidden, Subject: o.Metadata.Name,
		Message: "status is not written with spec: use UpdateStatus (controllers) or Observe (observers)",
		Fields:  []candor.FieldViolation{{Path: "status", Message: "differs from the stored status"}}}
}

// sameJSON compares two JSON values by meaning.
func sameJSON(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
