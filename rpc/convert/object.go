package convert

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/internal/wire"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// ObjectToProto returns nil for nil. The message shares the object's JSON and
// maps.
func ObjectToProto(o *candor.Object) *candorv1.Object {
	if o == nil {
		return nil
	}
	return &candorv1.Object{
		ApiVersion: o.APIVersion, Kind: o.Kind, Metadata: metadataToProto(&o.Metadata),
		Spec: o.Spec, Status: o.Status, Observed: o.Observed, Cause: CauseToProto(o.Cause),
	}
}

// ObjectFromProto returns nil for nil. The object takes over the message's
// bytes and maps. A part without bytes is absent. A message that holds its
// stored form (see package codec) is decoded here, and is nil when damaged.
func ObjectFromProto(p *candorv1.Object) *candor.Object {
	if p == nil {
		return nil
	}
	if data := p.ProtoReflect().GetUnknown(); data != nil && p.GetMetadata() == nil {
		o, err := wire.DecodeObject(data)
		if err != nil {
			return nil
		}
		return o
	}
	o := &candor.Object{
		APIVersion: p.GetApiVersion(), Kind: p.GetKind(),
		Spec: present(p.GetSpec()), Status: present(p.GetStatus()), Observed: present(p.GetObserved()),
		Cause: CauseFromProto(p.GetCause()),
	}
	metadataFromProto(&o.Metadata, p.GetMetadata())
	return o
}

func metadataToProto(m *candor.Metadata) *candorv1.Metadata {
	return &candorv1.Metadata{
		Name: m.Name, Namespace: m.Namespace, Uid: m.UID, Generation: m.Generation,
		ResourceVersion: m.ResourceVersion, CreateRevision: m.CreateRevision,
		CreationTime: timeToProto(m.CreationTime), DeletionTime: timeToProto(m.DeletionTime),
		Labels: m.Labels, Annotations: m.Annotations,
		OwnerReferences: ownersToProto(m.Owners), Finalizers: m.Finalizers,
	}
}

func metadataFromProto(m *candor.Metadata, p *candorv1.Metadata) {
	if p == nil {
		return
	}
	*m = candor.Metadata{
		Name: p.GetName(), Namespace: p.GetNamespace(), UID: p.GetUid(), Generation: p.GetGeneration(),
		ResourceVersion: p.GetResourceVersion(), CreateRevision: p.GetCreateRevision(),
		CreationTime: timeFromProto(p.GetCreationTime()), DeletionTime: timeFromProto(p.GetDeletionTime()),
		Labels: p.GetLabels(), Annotations: p.GetAnnotations(),
		Owners: ownersFromProto(p.GetOwnerReferences()), Finalizers: p.GetFinalizers(),
	}
}

func ownersToProto(owners []candor.OwnerReference) []*candorv1.OwnerReference {
	if len(owners) == 0 {
		return nil
	}
	out := make([]*candorv1.OwnerReference, len(owners))
	for i, o := range owners {
		out[i] = &candorv1.OwnerReference{
			Kind: string(o.Kind), Name: o.Name, Uid: o.UID,
			Controller: o.Controller, BlockOwnerDeletion: o.BlockOwnerDeletion,
		}
	}
	return out
}

func ownersFromProto(owners []*candorv1.OwnerReference) []candor.OwnerReference {
	if len(owners) == 0 {
		return nil
	}
	out := make([]candor.OwnerReference, len(owners))
	for i, p := range owners {
		out[i] = candor.OwnerReference{
			Kind: candor.KindName(p.GetKind()), Name: p.GetName(), UID: p.GetUid(),
			Controller: p.GetController(), BlockOwnerDeletion: p.GetBlockOwnerDeletion(),
		}
	}
	return out
}

func present(part []byte) []byte {
	if len(part) == 0 {
		return nil
	}
	return part
}

func timeToProto(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func timeFromProto(p *timestamppb.Timestamp) time.Time {
	if p == nil {
		return time.Time{}
	}
	return p.AsTime()
}
