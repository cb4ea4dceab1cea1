package convert

import (
	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// ReconciliationsToProto converts what controllers did.
func ReconciliationsToProto(in []candor.Reconciliation) []*candorv1.Reconciliation {
	return each(in, func(r *candor.Reconciliation) *candorv1.Reconciliation {
		return &candorv1.Reconciliation{
			Controller: r.Controller, Object: RefToProto(r.Object), Looked: TokenToProto(r.Looked), At: r.At, Result: r.Result,
			Message: r.Message, Revision: r.Revision, Causes: each(r.Causes, VersionRefToProto), Next: r.Next,
		}
	})
}

// ReconciliationsFromProto undoes ReconciliationsToProto.
func ReconciliationsFromProto(in []*candorv1.Reconciliation) []candor.Reconciliation {
	return eachBack(in, func(r *candorv1.Reconciliation) candor.Reconciliation {
		return candor.Reconciliation{
			Controller: r.GetController(), Object: RefFromProto(r.GetObject()), Looked: TokenFromProto(r.GetLooked()), At: r.GetAt(), Result: r.GetResult(),
			Message: r.GetMessage(), Revision: r.GetRevision(), Causes: eachBack(r.GetCauses(), versionRefFromProto), Next: r.GetNext(),
		}
	})
}

// ControllersToProto converts the controllers' graph.
func ControllersToProto(in []candor.ControllerNode) []*candorv1.ControllerNode {
	return each(in, func(n *candor.ControllerNode) *candorv1.ControllerNode {
		return &candorv1.ControllerNode{Name: n.Name, Duty: n.Duty, Inputs: each(n.Inputs, edgeToProto), Outputs: each(n.Outputs, edgeToProto)}
	})
}

// ControllersFromProto undoes ControllersToProto.
func ControllersFromProto(in []*candorv1.ControllerNode) []candor.ControllerNode {
	return eachBack(in, func(n *candorv1.ControllerNode) candor.ControllerNode {
		return candor.ControllerNode{
			Name: n.GetName(), Duty: n.GetDuty(), Inputs: eachBack(n.GetInputs(), edgeFromProto), Outputs: eachBack(n.GetOutputs(), edgeFromProto),
		}
	})
}

func edgeToProto(e *candor.ControllerEdge) *candorv1.ControllerEdge {
	return &candorv1.ControllerEdge{Kind: string(e.Kind), Mode: e.Mode}
}

func edgeFromProto(p *candorv1.ControllerEdge) candor.ControllerEdge {
	return candor.ControllerEdge{Kind: candor.KindName(p.GetKind()), Mode: p.GetMode()}
}
