package grpcapi

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/policy"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// method is what the door knows of a method before it looks at a request.
type method struct {
	// class is under which it is counted and limited. Those of servers are limited
	// and counted where their clients' requests were.
	class candor.AdmissionClass
	// from is who may call it once access control is on.
	from callers
	// ask is judged before the method runs; none means that the method judges what
	// it is asked for, or is anybody's who is authenticated.
	ask policy.Ask
	// watch lasts: it takes none of the places of its class.
	watch bool
}

type callers int

const (
	// everybody is answered. The zero callers are those with the right of ask.
	everybody callers = iota + 1
	// serversToo: the cluster's servers, and whoever has the right.
	serversToo
	// joiners: a server of the cluster, whoever brings a token for joining, and whoever
	// has the right. The method looks closer.
	joiners
	// serversOnly are methods between the servers of the cluster.
	serversOnly
	// anybody may, known or not: it is no request, and brings some.
	anybody
)

const (
	reads    = candor.AdmitRead
	writes   = candor.AdmitWrite
	topology = candor.AdmitTopology
)

func system(class candor.AdmissionClass, verb policy.Verb, kind string) *method {
	return &method{class: class, ask: policy.Ask{Verb: verb, Kind: kind}}
}

// methods are all there are, but for health and reflection, which are no requests.
// One that is not here takes more than anybody has. Reads and writes of objects
// are judged by the object, on the view that answers and in the turn.
var methods = map[string]*method{
	candorv1.ObjectService_Get_FullMethodName:          {class: reads},
	candorv1.ObjectService_List_FullMethodName:         {class: reads},
	candorv1.ObjectService_History_FullMethodName:      {class: reads},
	candorv1.ObjectService_Watch_FullMethodName:        {class: reads, watch: true},
	candorv1.ObjectService_Outcome_FullMethodName:      {class: reads},
	candorv1.ObjectService_Create_FullMethodName:       {class: writes},
	candorv1.ObjectService_Update_FullMethodName:       {class: writes},
	candorv1.ObjectService_Patch_FullMethodName:        {class: writes},
	candorv1.ObjectService_UpdateStatus_FullMethodName: {class: writes},
	candorv1.ObjectService_Observe_FullMethodName:      {class: writes},
	candorv1.ObjectService_Delete_FullMethodName:       {class: writes},
	candorv1.ObjectService_Txn_FullMethodName:          {class: writes},

	// The calls and watches on them are judged one by one.
	candorv1.CallService_Calls_FullMethodName:   {class: reads, from: anybody},
	candorv1.CallService_Watches_FullMethodName: {class: reads, from: anybody},

	candorv1.ClusterService_Status_FullMethodName:  {class: reads},
	candorv1.ClusterService_Members_FullMethodName: {class: reads},
	// A server repairs its view from another's snapshot.
	candorv1.ClusterService_Snapshot_FullMethodName:          {class: reads, from: serversToo, ask: policy.Ask{Verb: policy.Get, Kind: policy.Snapshots}},
	candorv1.ClusterService_Join_FullMethodName:              {class: topology, from: joiners, ask: policy.Ask{Verb: policy.Create, Kind: policy.Members}},
	candorv1.ClusterService_Remove_FullMethodName:            system(topology, policy.Delete, policy.Members),
	candorv1.ClusterService_Replace_FullMethodName:           system(topology, policy.Delete, policy.Members),
	candorv1.ClusterService_Promote_FullMethodName:           system(topology, policy.Update, policy.Members),
	candorv1.ClusterService_TransferLeader_FullMethodName:    system(topology, policy.Update, policy.Leadership),
	candorv1.ClusterService_Compact_FullMethodName:           system(writes, policy.Create, policy.Compactions),
	candorv1.ClusterService_RaiseFeatureLevel_FullMethodName: system(writes, policy.Update, policy.FeatureLevels),

	candorv1.DiagnosticsService_Node_FullMethodName:         system(reads, policy.Get, policy.Diagnostics),
	candorv1.DiagnosticsService_Digests_FullMethodName:      system(reads, policy.Get, policy.Diagnostics),
	candorv1.DiagnosticsService_Records_FullMethodName:      system(reads, policy.Get, policy.Diagnostics),
	candorv1.DiagnosticsService_Freshness_FullMethodName:    system(reads, policy.Get, policy.Diagnostics),
	candorv1.DiagnosticsService_WatchCatchUp_FullMethodName: {class: reads, watch: true, ask: policy.Ask{Verb: policy.Watch, Kind: policy.Diagnostics}},
	// All of the root is in it, as in a snapshot.
	candorv1.DiagnosticsService_Log_FullMethodName: system(reads, policy.Get, policy.Snapshots),

	candorv1.AccessService_Open_FullMethodName:   {class: topology, from: everybody},
	candorv1.AccessService_WhoAmI_FullMethodName: {class: reads, from: everybody},
	candorv1.AccessService_CanI_FullMethodName:   {class: reads},

	candorv1.NodeService_SetViewOnly_FullMethodName:     system(topology, policy.Update, policy.Views),
	candorv1.NodeService_Repair_FullMethodName:          system(topology, policy.Update, policy.Views),
	candorv1.NodeService_TailAudit_FullMethodName:       {class: reads, watch: true, ask: policy.Ask{Verb: policy.Get, Kind: policy.Audit}},
	candorv1.NodeService_GossipKeys_FullMethodName:      system(reads, policy.Get, policy.GossipKeys),
	candorv1.NodeService_AddGossipKey_FullMethodName:    system(topology, policy.Create, policy.GossipKeys),
	candorv1.NodeService_UseGossipKey_FullMethodName:    system(topology, policy.Update, policy.GossipKeys),
	candorv1.NodeService_RemoveGossipKey_FullMethodName: system(topology, policy.Delete, policy.GossipKeys),

	candorv1.TransitionService_Transitions_FullMethodName:      system(reads, policy.Get, policy.Transitions),
	candorv1.TransitionService_CancelTransition_FullMethodName: system(topology, policy.Get, policy.Transitions),

	candorv1.TenureService_Tenures_FullMethodName:        system(reads, policy.Get, policy.Tenures),
	candorv1.TenureService_TransferTenure_FullMethodName: system(topology, policy.Update, policy.Tenures),
	candorv1.TenureService_ChangeTenure_FullMethodName:   {class: writes},

	candorv1.AllocService_AllocIDs_FullMethodName:        system(writes, policy.Create, policy.IDs),
	candorv1.AllocService_AllocTimestamps_FullMethodName: system(writes, policy.Create, policy.Timestamps),

	// A node is written in its caller's name; a beat makes no version, and is judged
	// node by node.
	candorv1.WorkerService_Register_FullMethodName:  {class: writes},
	candorv1.WorkerService_Heartbeat_FullMethodName: {class: reads},

	// Judged by the object that they are about, as a read of it.
	candorv1.ExplainService_Why_FullMethodName:            {class: reads},
	candorv1.ExplainService_WhyNot_FullMethodName:         {class: reads},
	candorv1.ExplainService_GetDecision_FullMethodName:    {class: reads},
	candorv1.ExplainService_ReplayDecision_FullMethodName: {class: reads},
	candorv1.ExplainService_Plan_FullMethodName:           {class: reads},
	candorv1.ExplainService_Reconciles_FullMethodName:     {class: reads},
	candorv1.ExplainService_Graph_FullMethodName:          system(reads, policy.Get, policy.Diagnostics),

	candorv1.PeerService_Forward_FullMethodName:  {class: writes, from: serversOnly},
	candorv1.PeerService_Identify_FullMethodName: {class: reads, from: serversOnly},
}

// aside is what is no request: health and reflection.
var aside = &method{from: everybody}

// methodOf is what is known of a method by its full name. What nobody wrote down
// is anybody's only where it is not ours.
func methodOf(name string) *method {
	if m, ok := methods[name]; ok {
		return m
	}
	return aside
}

// accounted says whether the method is a request of a client: counted, recorded,
// and answered with a witness when it is refused.
func (m *method) accounted() bool {
	return m.class != "" && m.from != serversOnly && m.from != anybody
}
