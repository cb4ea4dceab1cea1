package convert

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// WitnessToProto returns nil for nil. What is not proven stays absent.
func WitnessToProto(w *candor.Witness) *candorv1.Witness {
	if w == nil {
		return nil
	}
	p := &candorv1.Witness{
		NodeId: w.NodeID, NodeName: w.NodeName, BootId: w.BootID, ClusterId: w.ClusterID, HistoryId: w.HistoryID,
		ServedRootToken:    TokenToProto(w.ServedToken),
		RootLag:            w.RootLag,
		RequestedFreshness: FreshnessToProto(w.Requested), ServedFreshness: FreshnessToProto(w.Served),
		ServingClass: ServingClassToProto(w.Class), ServedByLeader: w.ServedByLeader,
		Mechanism:    MechanismToProto(w.Mechanism),
		CatchUpState: CatchUpStateToProto(w.CatchUp), CatchUpAction: CatchUpActionToProto(w.CatchUpAction),
		DegradedMode: DegradedModeToProto(w.Mode), DegradedReason: w.DegradedReason, SyncHealth: w.SyncHealth,
		LeaderHint: LeaderHintToProto(w.Leader), ClusterTime: w.ClusterTime,
		ViewUpdatedAt: timeToProto(w.ViewUpdatedAt), Era: w.Era, PolicyRevision: w.PolicyRevision,
	}
	if w.CurrentToken != nil {
		p.CurrentRootToken = TokenToProto(*w.CurrentToken)
	}
	if w.StalenessBound != nil {
		p.StalenessBound = durationpb.New(*w.StalenessBound)
	}
	return p
}

// WitnessFromProto returns nil for nil.
func WitnessFromProto(p *candorv1.Witness) *candor.Witness {
	if p == nil {
		return nil
	}
	w := new(candor.Witness)
	ReadWitness(w, p)
	return w
}

// ReadWitness overwrites w with what p says; a nil p reads as a witness that
// says nothing. It is WitnessFromProto for callers that hold the room already.
func ReadWitness(w *candor.Witness, p *candorv1.Witness) {
	*w = candor.Witness{
		NodeID: p.GetNodeId(), NodeName: p.GetNodeName(), BootID: p.GetBootId(),
		ClusterID: p.GetClusterId(), HistoryID: p.GetHistoryId(),
		ServedToken: TokenFromProto(p.GetServedRootToken()),
		Requested:   FreshnessFromProto(p.GetRequestedFreshness()), Served: FreshnessFromProto(p.GetServedFreshness()),
		Class: ServingClassFromProto(p.GetServingClass()), ServedByLeader: p.GetServedByLeader(),
		Mechanism: MechanismFromProto(p.GetMechanism()),
		CatchUp:   CatchUpStateFromProto(p.GetCatchUpState()), CatchUpAction: CatchUpActionFromProto(p.GetCatchUpAction()),
		Mode: DegradedModeFromProto(p.GetDegradedMode()), DegradedReason: p.GetDegradedReason(), SyncHealth: p.GetSyncHealth(),
		Leader: LeaderHintFromProto(p.GetLeaderHint()), ClusterTime: p.GetClusterTime(),
		ViewUpdatedAt: timeFromProto(p.GetViewUpdatedAt()), Era: p.GetEra(), PolicyRevision: p.GetPolicyRevision(),
	}
	if p == nil {
		return
	}
	w.RootLag = p.RootLag
	if current := p.GetCurrentRootToken(); current != nil {
		t := TokenFromProto(current)
		w.CurrentToken = &t
	}
	w.StalenessBound = durationFromProto(p.GetStalenessBound())
}

// LeaderHintToProto returns nil for nil.
func LeaderHintToProto(h *candor.LeaderHint) *candorv1.LeaderHint {
	if h == nil {
		return nil
	}
	return &candorv1.LeaderHint{ServerId: h.ServerID, Name: h.Name, Address: h.Address, Term: h.Term}
}

// LeaderHintFromProto returns nil for nil.
func LeaderHintFromProto(p *candorv1.LeaderHint) *candor.LeaderHint {
	if p == nil {
		return nil
	}
	return &candor.LeaderHint{ServerID: p.GetServerId(), Name: p.GetName(), Address: p.GetAddress(), Term: p.GetTerm()}
}

func durationFromProto(p *durationpb.Duration) *time.Duration {
	if p == nil {
		return nil
	}
	d := p.AsDuration()
	return &d
}
