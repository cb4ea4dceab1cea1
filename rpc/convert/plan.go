package convert

import (
	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// RefToProto never returns nil.
func RefToProto(r candor.Ref) *candorv1.ObjectRef {
	return &candorv1.ObjectRef{Kind: string(r.Kind), Namespace: r.Namespace, Name: r.Name}
}

// RefFromProto reads nil as no object.
func RefFromProto(p *candorv1.ObjectRef) candor.Ref {
	return candor.Ref{Kind: candor.KindName(p.GetKind()), Namespace: p.GetNamespace(), Name: p.GetName()}
}

// PlanToProto returns nil for nil.
func PlanToProto(x *candor.Plan) *candorv1.Plan {
	if x == nil {
		return nil
	}
	return &candorv1.Plan{
		Token:   TokenToProto(x.Token),
		Creates: each(x.Creates, plannedChangeToProto), Updates: each(x.Updates, plannedChangeToProto), Deletes: each(x.Deletes, plannedChangeToProto),
		Placements: each(x.Placements, func(p *candor.PlannedPlacement) *candorv1.PlannedPlacement {
			return &candorv1.PlannedPlacement{Instance: RefToProto(p.Instance), Node: p.Node, Score: p.Score}
		}),
		Moves: each(x.Moves, func(m *candor.PlannedMove) *candorv1.PlannedMove {
			return &candorv1.PlannedMove{Instance: RefToProto(m.Instance), From: m.From, To: m.To}
		}),
		Preemptions: each(x.Preemptions, func(v *candor.PlannedPreemption) *candorv1.PlannedPreemption {
			return &candorv1.PlannedPreemption{Victim: RefToProto(v.Victim), For: RefToProto(v.For), Node: v.Node}
		}),
		Unplaceable: each(x.Unplaceable, func(u *candor.Unplaceable) *candorv1.Unplaceable {
			return &candorv1.Unplaceable{Instance: RefToProto(u.Instance), Explanation: ExplanationToProto(&u.Explanation)}
		}),
	}
}

// PlanFromProto returns nil for nil.
func PlanFromProto(p *candorv1.Plan) *candor.Plan {
	if p == nil {
		return nil
	}
	return &candor.Plan{
		Token:   TokenFromProto(p.GetToken()),
		Creates: eachBack(p.GetCreates(), plannedChangeFromProto), Updates: eachBack(p.GetUpdates(), plannedChangeFromProto), Deletes: eachBack(p.GetDeletes(), plannedChangeFromProto),
		Placements: eachBack(p.GetPlacements(), func(p *candorv1.PlannedPlacement) candor.PlannedPlacement {
			return candor.PlannedPlacement{Instance: RefFromProto(p.GetInstance()), Node: p.GetNode(), Score: p.GetScore()}
		}),
		Moves: eachBack(p.GetMoves(), func(m *candorv1.PlannedMove) candor.PlannedMove {
			return candor.PlannedMove{Instance: RefFromProto(m.GetInstance()), From: m.GetFrom(), To: m.GetTo()}
		}),
		Preemptions: eachBack(p.GetPreemptions(), func(v *candorv1.PlannedPreemption) candor.PlannedPreemption {
			return candor.PlannedPreemption{Victim: RefFromProto(v.GetVictim()), For: RefFromProto(v.GetFor()), Node: v.GetNode()}
		}),
		Unplaceable: eachBack(p.GetUnplaceable(), func(u *candorv1.Unplaceable) candor.Unplaceable {
			x := candor.Unplaceable{Instance: RefFromProto(u.GetInstance())}
			if e := ExplanationFromProto(u.GetExplanation()); e != nil {
				x.Explanation = *e
			}
			return x
		}),
	}
}

func plannedChangeToProto(c *candor.PlannedChange) *candorv1.PlannedChange {
	out := &candorv1.PlannedChange{
		Object: RefToProto(c.Object),
		Fields: each(c.Fields, func(f *candor.FieldChange) *candorv1.FieldChange {
			return &candorv1.FieldChange{Path: f.Path, Was: f.Was, Is: f.Is}
		}),
	}
	if c.Because != (candor.Ref{}) {
		out.Because = RefToProto(c.Because)
	}
	return out
}

func plannedChangeFromProto(p *candorv1.PlannedChange) candor.PlannedChange {
	return candor.PlannedChange{
		Object: RefFromProto(p.GetObject()), Because: RefFromProto(p.GetBecause()),
		Fields: eachBack(p.GetFields(), func(f *candorv1.FieldChange) candor.FieldChange {
			return candor.FieldChange{Path: f.GetPath(), Was: present(f.GetWas()), Is: present(f.GetIs())}
		}),
	}
}
