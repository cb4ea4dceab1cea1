package grpcapi

import (
	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// classes are the methods that clients call. What servers ask of one another is
// counted where it is served, and health and reflection are no requests.
var classes = map[string]candor.AdmissionClass{
	candorv1.ObjectService_Get_FullMethodName:          candor.AdmitRead,
	candorv1.ObjectService_List_FullMethodName:         candor.AdmitRead,
	candorv1.ObjectService_History_FullMethodName:      candor.AdmitRead,
	candorv1.ObjectService_Watch_FullMethodName:        candor.AdmitRead,
	candorv1.ObjectService_Outcome_FullMethodName:      candor.AdmitRead,
	candorv1.ObjectService_Create_FullMethodName:       candor.AdmitWrite,
	candorv1.ObjectService_Update_FullMethodName:       candor.AdmitWrite,
	candorv1.ObjectService_Patch_FullMethodName:        candor.AdmitWrite,
	candorv1.ObjectService_UpdateStatus_FullMethodName: candor.AdmitWrite,
	candorv1.ObjectService_Observe_FullMethodName:      candor.AdmitWrite,
	candorv1.ObjectService_Delete_FullMethodName:       candor.AdmitWrite,
	candorv1.ObjectService_Txn_FullMethodName:          candor.AdmitWrite,

	candorv1.ClusterService_Status_FullMethodName:            candor.AdmitRead,
	candorv1.ClusterService_Members_FullMethodName:           candor.AdmitRead,
	candorv1.ClusterService_Snapshot_FullMethodName:          candor.AdmitRead,
	candorv1.ClusterService_Join_FullMethodName:              candor.AdmitTopology,
	candorv1.ClusterService_Remove_FullMethodName:            candor.AdmitTopology,
	candorv1.ClusterService_Promote_FullMethodName:           candor.AdmitTopology,
	candorv1.ClusterService_TransferLeader_FullMethodName:    candor.AdmitTopology,
	candorv1.ClusterService_Compact_FullMethodName:           candor.AdmitWrite,
	candorv1.ClusterService_RaiseFeatureLevel_FullMethodName: candor.AdmitWrite,

	candorv1.DiagnosticsService_Node_FullMethodName:         candor.AdmitRead,
	candorv1.DiagnosticsService_Digests_FullMethodName:      candor.AdmitRead,
	candorv1.DiagnosticsService_Records_FullMethodName:      candor.AdmitRead,
	candorv1.DiagnosticsService_Freshness_FullMethodName:    candor.AdmitRead,
	candorv1.DiagnosticsService_WatchCatchUp_FullMethodName: candor.AdmitRead,

	candorv1.AccessService_Open_FullMethodName:   candor.AdmitTopology,
	candorv1.AccessService_WhoAmI_FullMethodName: candor.AdmitRead,
	candorv1.AccessService_CanI_FullMethodName:   candor.AdmitRead,

	candorv1.NodeService_SetViewOnly_FullMethodName: candor.AdmitTopology,
	candorv1.NodeService_Repair_FullMethodName:      candor.AdmitTopology,
}
