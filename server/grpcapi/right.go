package grpcapi

import (
	"context"
	"strings"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/policy"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// right is what a method takes once access control is on.
type right struct {
	// open methods answer everybody.
	open bool
	// join is also a server's own, for itself.
	join bool
	// ask is judged before the method runs; none means that the method judges what
	// it is asked for, or is anybody's who is authenticated.
	ask policy.Ask
}

func system(verb policy.Verb, kind string) right {
	return right{ask: policy.Ask{Verb: verb, Kind: kind}}
}

// rights are what the methods take; a method that is not here takes more than
// anybody has. Reads and writes of objects are judged by the object, on the view
// that answers and in the turn. What servers ask of one another is theirs.
var rights = map[string]right{
	candorv1.AccessService_Open_FullMethodName:   {open: true},
	candorv1.AccessService_WhoAmI_FullMethodName: {open: true},
	candorv1.AccessService_CanI_FullMethodName:   {},

	candorv1.ObjectService_Get_FullMethodName:          {},
	candorv1.ObjectService_List_FullMethodName:         {},
	candorv1.ObjectService_History_FullMethodName:      {},
	candorv1.ObjectService_Watch_FullMethodName:        {},
	candorv1.ObjectService_Outcome_FullMethodName:      {},
	candorv1.ObjectService_Create_FullMethodName:       {},
	candorv1.ObjectService_Update_FullMethodName:       {},
	candorv1.ObjectService_Patch_FullMethodName:        {},
	candorv1.ObjectService_UpdateStatus_FullMethodName: {},
	candorv1.ObjectService_Observe_FullMethodName:      {},
	candorv1.ObjectService_Delete_FullMethodName:       {},
	candorv1.ObjectService_Txn_FullMethodName:          {},

	candorv1.ClusterService_Status_FullMethodName:            {},
	candorv1.ClusterService_Members_FullMethodName:           {},
	candorv1.ClusterService_Snapshot_FullMethodName:          system(policy.Get, policy.Snapshots),
	candorv1.ClusterService_Join_FullMethodName:              {join: true, ask: policy.Ask{Verb: policy.Create, Kind: policy.Members}},
	candorv1.ClusterService_Remove_FullMethodName:            system(policy.Delete, policy.Members),
	candorv1.ClusterService_Promote_FullMethodName:           system(policy.Update, policy.Members),
	candorv1.ClusterService_TransferLeader_FullMethodName:    system(policy.Update, policy.Leadership),
	candorv1.ClusterService_Compact_FullMethodName:           system(policy.Create, policy.Compactions),
	candorv1.ClusterService_RaiseFeatureLevel_FullMethodName: system(policy.Update, policy.FeatureLevels),

	candorv1.DiagnosticsService_Node_FullMethodName:         system(policy.Get, policy.Diagnostics),
	candorv1.DiagnosticsService_Digests_FullMethodName:      system(policy.Get, policy.Diagnostics),
	candorv1.DiagnosticsService_Records_FullMethodName:      system(policy.Get, policy.Diagnostics),
	candorv1.DiagnosticsService_Freshness_FullMethodName:    system(policy.Get, policy.Diagnostics),
	candorv1.DiagnosticsService_WatchCatchUp_FullMethodName: system(policy.Watch, policy.Diagnostics),

	candorv1.NodeService_SetViewOnly_FullMethodName: system(policy.Update, policy.Views),
	candorv1.NodeService_Repair_FullMethodName:      system(policy.Update, policy.Views),
}

// peerMethods begin the methods that are between servers.
var peerMethods = "/" + candorv1.PeerService_ServiceDesc.ServiceName + "/"

const serverActor = string(candor.PartyServer) + "/"

// isServer says that the caller has proven to be a server of this cluster.
func isServer(p candor.Principal) bool {
	return p.Proof == candor.ProofCertificate && strings.HasPrefix(p.Actor, serverActor)
}

// may is nil when the principal may do that by the view's policy. Where access
// control is off everybody may everything.
func may(view *fsm.View, p candor.Principal, ask policy.Ask) error {
	if view.AccessEpoch() == 0 {
		return nil
	}
	if err := authenticated(view, p); err != nil {
		return err
	}
	if err := view.Policy().Check(p.Actor, ask); err != nil {
		return err
	}
	return nil
}

// authenticated is nil while the principal is known for sure, by the view.
func authenticated(view *fsm.View, p candor.Principal) error {
	switch {
	case view.AccessEpoch() == 0:
		return nil
	case !p.Verified():
		return candor.Errorf(candor.ReasonUnauthenticated, "access control is on, and the request has no token: set CANDOR_TOKEN or --token-file")
	case p.Proof != candor.ProofToken:
		return nil
	}
	if err := view.Policy().Holds(p.Accessor, p.Actor, time.Now().UnixNano()); err != nil {
		return err
	}
	return nil
}

// mayRead judges a read of objects on the view that serves it.
func mayRead(ctx context.Context, view *fsm.View, verb policy.Verb, kind, namespace, name string) error {
	return may(view, PrincipalOf(ctx), policy.Ask{Verb: verb, Kind: kind, Namespace: namespace, Name: name})
}

// mayOperate judges operations before they are proposed: the turn judges again.
func mayOperate(ctx context.Context, view *fsm.View, branches ...[]command.Operation) error {
	if view.AccessEpoch() == 0 {
		return nil
	}
	p := PrincipalOf(ctx)
	for _, branch := range branches {
		for i := range branch {
			if err := may(view, p, fsm.AskOf(&branch[i], branch[i].Ref())); err != nil {
				return err
			}
		}
	}
	return nil
}
