package grpcapi_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// request is one that a server grants in the state of the fixture.
type request struct {
	method  string
	message proto.Message
	// refused is for one that nobody can grant, though nothing is wrong with it.
	refused candor.Reason
}

func (r *request) bytes(t testing.TB) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(r.message)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// requests are valid ones of every method, and between them of every field.
func requests() []request {
	team := &candorv1.Preconditions{}
	ref := struct{ kind, namespace, name string }{widgets, "team", "a"}
	// The revision of the fixture's last write; its index is some entries later.
	const revision = 6
	strong := &candorv1.ReadOptions{
		RequiredRootToken: &candorv1.PortableToken{Token: &candorv1.RootToken{Term: 2, Index: 5, Revision: revision}, ClusterId: clusterID, HistoryId: historyID},
		MaxRootLag:        proto.Uint64(3), MaxStaleness: durationpb.New(time.Second), AllowFollowerReadIndex: true, AtRevision: revision,
	}
	local := &candorv1.ReadOptions{Freshness: candorv1.Freshness_FRESHNESS_BEST_EFFORT}
	write := &candorv1.WriteOptions{
		Reason: "SCALED", Message: "more load", ReadToken: &candorv1.RootToken{Term: 2, Index: 5, Revision: revision},
		Because: &candorv1.ObjectVersionRef{Kind: widgets, Namespace: "team", Name: "b", Revision: 5},
	}
	changed, created := widget("a"), widget("d")
	changed.Spec = []byte(`{"size":3}`)
	created.Metadata.Annotations = map[string]string{"note": "x"}
	created.Metadata.Finalizers = []string{"example.com/hold"}
	object := func(o *candor.Object) *candorv1.Object { return convert.ObjectToProto(o) }
	kind := &candor.Object{APIVersion: candor.APIVersion, Kind: "Kind", Metadata: candor.Metadata{Name: "gadgets.example.com"},
		Spec: []byte(`{"group":"example.com","version":"v1","scope":"Cluster","names":{"kind":"Gadget","plural":"gadgets","shortNames":["gd"]},"printerColumns":[{"name":"Size","path":".spec.size"}]}`)}
	deletion := &candorv1.DeleteRequest{Kind: ref.kind, Namespace: ref.namespace, Name: ref.name, Preconditions: team, Propagation: candorv1.PropagationPolicy_PROPAGATION_POLICY_ORPHAN, Write: write}
	status := &candorv1.UpdateStatusRequest{Kind: ref.kind, Namespace: ref.namespace, Name: ref.name, Status: []byte(`{"phase":"Ready"}`), Write: write}
	observation := &candorv1.ObserveRequest{Kind: ref.kind, Namespace: ref.namespace, Name: "b", Observed: []byte(`{"seen":1}`), Write: write}
	forwarded := func(c *command.Command) *candorv1.ForwardRequest {
		return &candorv1.ForwardRequest{ClusterId: clusterID, Command: command.AppendCommand(nil, c)}
	}
	born := &candor.Object{APIVersion: candor.APIVersion, Kind: "Namespace", Spec: []byte(`{}`), Metadata: candor.Metadata{Name: "forwarded", UID: "uid-forwarded"}}
	return []request{
		{candorv1.ObjectService_Get_FullMethodName, &candorv1.GetRequest{Kind: ref.kind, Namespace: ref.namespace, Name: ref.name, Read: strong}, ""},
		{candorv1.ObjectService_List_FullMethodName, &candorv1.ListRequest{Kind: ref.kind, Namespace: ref.namespace, LabelSelector: "app in (a,b),!x", Limit: 1, Read: local}, ""},
		{candorv1.ObjectService_List_FullMethodName, &candorv1.ListRequest{Kind: ref.kind, Continue: continueToken, Read: strong}, ""},
		{candorv1.ObjectService_History_FullMethodName, &candorv1.HistoryRequest{Kind: ref.kind, Namespace: ref.namespace, Name: ref.name, Read: local}, ""},
		{candorv1.ObjectService_Create_FullMethodName, &candorv1.CreateRequest{Object: object(created), Write: write}, ""},
		{candorv1.ObjectService_Create_FullMethodName, &candorv1.CreateRequest{Object: object(kind), Write: &candorv1.WriteOptions{DryRun: true}}, ""},
		{candorv1.ObjectService_Create_FullMethodName, &candorv1.CreateRequest{Object: object(kind), Write: write}, ""},
		{candorv1.ObjectService_Update_FullMethodName, &candorv1.UpdateRequest{Object: object(changed), Write: write}, ""},
		{candorv1.ObjectService_Patch_FullMethodName, &candorv1.PatchRequest{Kind: ref.kind, Namespace: ref.namespace, Name: ref.name, Type: candorv1.PatchType_PATCH_TYPE_MERGE, Patch: []byte(`{"metadata":{"labels":{"app":null}},"spec":{"size":4}}`), Write: write}, ""},
		{candorv1.ObjectService_Patch_FullMethodName, &candorv1.PatchRequest{Kind: ref.kind, Namespace: ref.namespace, Name: ref.name, Type: candorv1.PatchType_PATCH_TYPE_JSON, Patch: []byte(`[{"op":"test","path":"/spec/size","value":2},{"op":"replace","path":"/spec/size","value":4},{"op":"add","path":"/spec/list","value":[1]},{"op":"copy","from":"/spec/list/0","path":"/spec/list/-"}]`), Preconditions: team, Write: write}, ""},
		{candorv1.ObjectService_UpdateStatus_FullMethodName, status, ""},
		{candorv1.ObjectService_Observe_FullMethodName, observation, ""},
		{candorv1.ObjectService_Delete_FullMethodName, deletion, ""},
		{candorv1.ObjectService_Delete_FullMethodName, &candorv1.DeleteRequest{Kind: string(candor.KindNamespaces), Name: "team"}, ""},
		{candorv1.ObjectService_Txn_FullMethodName, &candorv1.TxnRequest{
			Compares: []*candorv1.Compare{
				{Kind: ref.kind, Namespace: ref.namespace, Name: ref.name, Condition: &candorv1.Compare_Exists{Exists: true}},
				{Kind: ref.kind, Namespace: ref.namespace, Name: ref.name, Condition: &candorv1.Compare_Generation{Generation: 1}},
				{Kind: ref.kind, Namespace: ref.namespace, Name: ref.name, Condition: &candorv1.Compare_ResourceVersion{ResourceVersion: 4}},
				{Condition: &candorv1.Compare_RootRevision{RootRevision: revision}},
			},
			Then: []*candorv1.TxnOperation{
				{Operation: &candorv1.TxnOperation_Create{Create: object(created)}},
				{Operation: &candorv1.TxnOperation_UpdateStatus{UpdateStatus: status}},
				{Operation: &candorv1.TxnOperation_Observe{Observe: observation}},
				{Operation: &candorv1.TxnOperation_Get{Get: &candorv1.GetRequest{Kind: ref.kind, Namespace: ref.namespace, Name: "c"}}},
			},
			Otherwise: []*candorv1.TxnOperation{
				{Operation: &candorv1.TxnOperation_Update{Update: object(changed)}},
				{Operation: &candorv1.TxnOperation_Delete{Delete: &candorv1.DeleteRequest{Kind: ref.kind, Namespace: ref.namespace, Name: "b"}}},
			},
			Write: write,
		}, ""},
		{candorv1.ObjectService_Watch_FullMethodName, &candorv1.WatchRequest{Kind: ref.kind, Namespace: "team", Name: "a", LabelSelector: "app", AfterRevision: 1, WithPrevious: true, BookmarkIntervalMs: 200, Read: local}, ""},
		{candorv1.ObjectService_Outcome_FullMethodName, &candorv1.OutcomeRequest{RequestId: "r-1", Read: local}, ""},

		{candorv1.ClusterService_Status_FullMethodName, &candorv1.StatusRequest{}, ""},
		{candorv1.ClusterService_Members_FullMethodName, &candorv1.MembersRequest{}, ""},
		{candorv1.ClusterService_Join_FullMethodName, &candorv1.JoinRequest{ServerId: "server-9", Name: "n9", RaftAddress: "n9/raft", ApiAddress: "n9", ClusterId: clusterID, FeatureLevel: 1}, ""},
		{candorv1.ClusterService_Replace_FullMethodName, &candorv1.ReplaceRequest{Server: "n3", With: "n2", Force: true}, ""},
		{candorv1.ClusterService_Remove_FullMethodName, &candorv1.RemoveRequest{Server: "n3", Force: true}, ""},
		{candorv1.ClusterService_Promote_FullMethodName, &candorv1.PromoteRequest{Server: "n2"}, ""},
		{candorv1.ClusterService_TransferLeader_FullMethodName, &candorv1.TransferLeaderRequest{}, ""},
		{candorv1.ClusterService_Snapshot_FullMethodName, &candorv1.SnapshotRequest{}, ""},
		{candorv1.ClusterService_Compact_FullMethodName, &candorv1.CompactRequest{Revision: 4, Write: write}, ""},
		{candorv1.ClusterService_RaiseFeatureLevel_FullMethodName, &candorv1.RaiseFeatureLevelRequest{Level: candor.FeatureLevel}, candor.ReasonFeatureLevel},

		{candorv1.DiagnosticsService_Node_FullMethodName, &candorv1.NodeRequest{}, ""},
		{candorv1.DiagnosticsService_Digests_FullMethodName, &candorv1.DigestsRequest{FromIndex: 2}, ""},
		{candorv1.DiagnosticsService_Records_FullMethodName, &candorv1.RecordsRequest{}, ""},

		{candorv1.DiagnosticsService_Freshness_FullMethodName, &candorv1.FreshnessRequest{MaxStaleness: durationpb.New(time.Second), MaxRootLag: proto.Uint64(3)}, ""},
		{candorv1.DiagnosticsService_WatchCatchUp_FullMethodName, &candorv1.WatchCatchUpRequest{}, ""},
		// The fixture's servers keep their log in memory.
		{candorv1.DiagnosticsService_Log_FullMethodName, &candorv1.LogRequest{What: &candorv1.LogRequest_Entries{Entries: &candorv1.LogRange{From: 2, To: 5}}}, candor.ReasonUnavailable},

		{candorv1.NodeService_SetViewOnly_FullMethodName, &candorv1.SetViewOnlyRequest{On: true}, ""},
		{candorv1.NodeService_Repair_FullMethodName, &candorv1.RepairRequest{}, candor.ReasonConflict},
		// The fixture keeps no audit log, and its servers do not gossip.
		{candorv1.NodeService_TailAudit_FullMethodName, &candorv1.TailAuditRequest{Last: 3, Follow: true, Actor: "ana", Verdict: "DENIED", Method: "Create", Kind: ref.kind}, candor.ReasonUnavailable},
		{candorv1.NodeService_GossipKeys_FullMethodName, &candorv1.GossipKeysRequest{}, candor.ReasonUnavailable},
		{candorv1.NodeService_AddGossipKey_FullMethodName, &candorv1.AddGossipKeyRequest{Key: "QUFBQUFBQUFBQUFBQUFBQQ=="}, candor.ReasonForbidden},
		{candorv1.NodeService_UseGossipKey_FullMethodName, &candorv1.UseGossipKeyRequest{Fingerprint: "0123456789abcdef"}, candor.ReasonUnavailable},
		{candorv1.NodeService_RemoveGossipKey_FullMethodName, &candorv1.RemoveGossipKeyRequest{Fingerprint: "0123456789abcdef"}, candor.ReasonUnavailable},

		// The fixture's servers hold no duties, so nobody hands one over, or numbers out.
		{candorv1.TenureService_Tenures_FullMethodName, &candorv1.TenuresRequest{}, ""},
		{candorv1.TransitionService_Transitions_FullMethodName, &candorv1.TransitionsRequest{Pending: true, Limit: 3}, ""},
		{candorv1.TransitionService_CancelTransition_FullMethodName, &candorv1.CancelTransitionRequest{Id: "member-add-1", Reason: "not now"}, candor.ReasonNotFound},
		{candorv1.TenureService_TransferTenure_FullMethodName, &candorv1.TransferTenureRequest{Duty: "janitor", Server: "n2"}, candor.ReasonSchedulerDegraded},
		{candorv1.TenureService_ChangeTenure_FullMethodName, &candorv1.ChangeTenureRequest{
			Duty: "control/web", Verb: candorv1.TenureVerb_TENURE_VERB_CAMPAIGN, Candidacy: "c-1", Duration: durationpb.New(time.Second),
			Frontiers: &candorv1.Frontiers{Id: 1, Transition: 2},
		}, ""},
		{candorv1.TenureService_ChangeTenure_FullMethodName, &candorv1.ChangeTenureRequest{
			Duty: "control/web", Verb: candorv1.TenureVerb_TENURE_VERB_CONFIRM, Era: 2, Predecessor: 1, Cite: strings.Repeat("ab", 32),
		}, candor.ReasonSchedulerDegraded},
		{candorv1.TenureService_ChangeTenure_FullMethodName, &candorv1.ChangeTenureRequest{
			Duty: "control/web", Verb: candorv1.TenureVerb_TENURE_VERB_SEAL, Era: 1, Frontiers: &candorv1.Frontiers{Timestamp: 1}, To: "client/eva",
		}, candor.ReasonSchedulerDegraded},
		{candorv1.AllocService_AllocIDs_FullMethodName, &candorv1.AllocIDsRequest{Count: 3}, candor.ReasonSchedulerDegraded},
		{candorv1.AllocService_AllocTimestamps_FullMethodName, &candorv1.AllocTimestampsRequest{Count: 3}, candor.ReasonSchedulerDegraded},

		{candorv1.WorkerService_Register_FullMethodName, &candorv1.RegisterRequest{Nodes: []*candorv1.NodeRegistration{{
			Name: "w1", Labels: map[string]string{candor.LabelZone: "a"}, Taints: []*candorv1.NodeTaint{{Key: "gpu", Value: "yes", Effect: "NoSchedule"}},
			Capacity: map[string]string{"cpu": "2", "memory": "4Gi"}, Session: "s-1", BootId: "b-1", Os: "linux", Arch: "amd64", Address: "w1", Version: "v0", Simulated: true,
		}}}, ""},
		{candorv1.WorkerService_Heartbeat_FullMethodName, &candorv1.HeartbeatRequest{Beats: []*candorv1.Beat{{Node: "w1", Uid: "uid-w1", Session: "s-1"}}}, ""},

		{candorv1.ExplainService_Why_FullMethodName, &candorv1.WhyRequest{Kind: ref.kind, Namespace: ref.namespace, Name: ref.name, Revision: revision, Read: local}, ""},
		{candorv1.ExplainService_Why_FullMethodName, &candorv1.WhyRequest{Kind: string(candor.SubjectMembers), Name: "n2"}, ""},
		{candorv1.ExplainService_Why_FullMethodName, &candorv1.WhyRequest{Kind: string(candor.SubjectRequests), Name: "r-1"}, ""},
		{candorv1.ExplainService_WhyNot_FullMethodName, &candorv1.WhyNotRequest{Kind: string(candor.KindInstances), Namespace: "team", Name: "web-0", Node: "w1", Read: local}, candor.ReasonNotFound},
		{candorv1.ExplainService_GetDecision_FullMethodName, &candorv1.GetDecisionRequest{Id: "d-5-0", Read: local}, candor.ReasonNotFound},
		{candorv1.ExplainService_GetDecision_FullMethodName, &candorv1.GetDecisionRequest{Namespace: "team", Instance: "web-0"}, candor.ReasonNotFound},
		{candorv1.ExplainService_ReplayDecision_FullMethodName, &candorv1.ReplayDecisionRequest{Id: "d-5-1", Read: local}, candor.ReasonNotFound},
		{candorv1.ExplainService_ReplayDecision_FullMethodName, &candorv1.ReplayDecisionRequest{Namespace: "team", Instance: "web-0"}, candor.ReasonNotFound},
		{candorv1.ExplainService_Plan_FullMethodName, &candorv1.PlanRequest{Objects: []*candorv1.Object{object(changed), object(created)}, Read: local}, ""},
		{candorv1.ExplainService_Graph_FullMethodName, &candorv1.GraphRequest{}, ""},
		{candorv1.ExplainService_Reconciles_FullMethodName, &candorv1.ReconcilesRequest{Kind: ref.kind, Namespace: ref.namespace, Name: ref.name, Read: local}, ""},

		{candorv1.PeerService_Identify_FullMethodName, &candorv1.IdentifyRequest{}, ""},
		{candorv1.PeerService_Forward_FullMethodName, forwarded(command.Hello("server-9", "n9", "n9", 1)), ""},
		{candorv1.PeerService_Forward_FullMethodName, forwarded(command.Compact(3)), ""},
		{candorv1.PeerService_Forward_FullMethodName, forwarded(command.CascadePage(1)), ""},
		{candorv1.PeerService_Forward_FullMethodName, forwarded(&command.Command{
			Type: command.TypeWrite, Actor: "ana",
			Compares: []command.Compare{{Condition: command.IfExists, Ref: candor.Ref{Kind: widgets, Namespace: "team", Name: "a"}, Number: 1}},
			Then: []command.Operation{
				{Verb: command.VerbCreate, Kind: candor.KindNamespaces, KindRevision: 1, Object: born},
				{Verb: command.VerbObserve, Kind: widgets, KindRevision: 2, Namespace: "team", Name: "a", Payload: []byte(`{}`)},
				{Verb: command.VerbDelete, Kind: widgets, Namespace: "team", Name: "b"},
			},
			Else: []command.Operation{{Verb: command.VerbGet, Kind: widgets, Namespace: "team", Name: "a"}},
		}), ""},

		{candorv1.CallService_Calls_FullMethodName, callsOf(&candorv1.CreateRequest{Object: object(created), Write: write}, &candorv1.CreateRequest{}), ""},
		{candorv1.CallService_Watches_FullMethodName, watchesOf(1<<20, &candorv1.WatchRequest{Kind: ref.kind, Namespace: "team", AfterRevision: 1, Read: local}, &candorv1.WatchRequest{}), ""},

		{healthv1.Health_Check_FullMethodName, &healthv1.HealthCheckRequest{Service: "candor.write"}, ""},
		{healthv1.Health_Watch_FullMethodName, &healthv1.HealthCheckRequest{}, ""},
		{healthv1.Health_List_FullMethodName, &healthv1.HealthListRequest{}, ""},
	}
}

// TestRequestsThatAreRightAreGranted shows that the seeds of FuzzSurface are
// valid, that every method has one, and that they leave the cluster sound.
func TestRequestsThatAreRightAreGranted(t *testing.T) {
	methods := surface()
	seen := map[string]bool{}
	for _, r := range requests() {
		seen[r.method] = true
		t.Run(r.method[1:], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := newFixture(t)
				err := ask(t.Context(), x.dial(x.cluster.Leader().Name(), grpc.ForceCodec(opaque{})), r.method, methods[r.method], r.bytes(t))
				refused, _ := convert.Refusal(err)
				// A stream that nothing ends is ended by its deadline, here or there.
				late := methods[r.method] && (refused == nil || refused.Reason == candor.ReasonTimedOut)
				switch {
				case r.refused != "":
					if refused == nil || refused.Reason != r.refused {
						t.Errorf("%v, want %s", err, r.refused)
					}
				case err != nil && !late:
					t.Errorf("%v", err)
				}
				x.wantSound()
			})
		})
	}
	for method := range methods {
		if !seen[method] {
			t.Errorf("no request of %s", method)
		}
	}
}
