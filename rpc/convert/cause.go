package convert

import (
	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// CauseToProto returns nil for nil.
func CauseToProto(c *candor.Cause) *candorv1.Cause {
	if c == nil {
		return nil
	}
	return &candorv1.Cause{
		Actor: c.Actor, Duty: c.Duty, Era: c.Era, ReadToken: knownToken(c.ReadToken),
		PriorRevision: c.PriorRevision, Reason: c.Reason, Message: c.Message, Because: VersionRefToProto(c.Because),
	}
}

// CauseFromProto returns nil for nil.
func CauseFromProto(p *candorv1.Cause) *candor.Cause {
	if p == nil {
		return nil
	}
	return &candor.Cause{
		Actor: p.GetActor(), Duty: p.GetDuty(), Era: p.GetEra(), ReadToken: TokenFromProto(p.GetReadToken()),
		PriorRevision: p.GetPriorRevision(), Reason: p.GetReason(), Message: p.GetMessage(),
		Because: VersionRefFromProto(p.GetBecause()),
	}
}

// VersionRefToProto returns nil for nil.
func VersionRefToProto(v *candor.VersionRef) *candorv1.ObjectVersionRef {
	if v == nil {
		return nil
	}
	return &candorv1.ObjectVersionRef{
		Kind: string(v.Kind), Namespace: v.Namespace, Name: v.Name, Revision: v.Revision,
	}
}

// VersionRefFromProto returns nil for nil.
func VersionRefFromProto(p *candorv1.ObjectVersionRef) *candor.VersionRef {
	if p == nil {
		return nil
	}
	return &candor.VersionRef{
		Ref:      candor.Ref{Kind: candor.KindName(p.GetKind()), Namespace: p.GetNamespace(), Name: p.GetName()},
		Revision: p.GetRevision(),
	}
}
