package servertest_test

import (
	"fmt"
	"maps"

	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/fsm/command"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// rolesRow is one thing that a method may be asked for.
type rolesRow struct {
	what string
	// request is what is asked. It would change something if it were let through,
	// unless its caller is mighty and it could not be undone.
	request func(a *asking) proto.Message
	// effective: whoever is let through must succeed and have changed something.
	effective bool
	// undo takes back what was let through; nil where that disturbs nobody.
	undo func(a *asking) error
}

// asking is one cell of the table on its way.
type asking struct {
	*roles
	caller *caller
	// object is a name that no other cell has.
	object string
}

func plain(in proto.Message) func(*asking) proto.Message {
	return func(*asking) proto.Message { return in }
}

func oneRow(in proto.Message) []rolesRow { return []rolesRow{{request: plain(in)}} }

// rolesRows are what every method is asked for, by its full name.
func rolesRows() map[string][]rolesRow {
	rows := map[string][]rolesRow{
		candorv1.AccessService_Open_FullMethodName: {
			{what: "again (CONFLICT)", request: opening(false)},
			{what: "again, without the reset file", request: opening(true)},
		},
		candorv1.AccessService_WhoAmI_FullMethodName: oneRow(&candorv1.WhoAmIRequest{}),
		candorv1.AccessService_CanI_FullMethodName:   oneRow(&candorv1.CanIRequest{Verb: "get", Kind: string(candor.KindNamespaces)}),

		candorv1.DiagnosticsService_Node_FullMethodName:         oneRow(&candorv1.NodeRequest{}),
		candorv1.DiagnosticsService_Digests_FullMethodName:      oneRow(&candorv1.DigestsRequest{}),
		candorv1.DiagnosticsService_Records_FullMethodName:      oneRow(&candorv1.RecordsRequest{}),
		candorv1.DiagnosticsService_Freshness_FullMethodName:    oneRow(&candorv1.FreshnessRequest{}),
		candorv1.DiagnosticsService_WatchCatchUp_FullMethodName: oneRow(&candorv1.WatchCatchUpRequest{}),
		candorv1.DiagnosticsService_Log_FullMethodName:          oneRow(&candorv1.LogRequest{}),

		candorv1.NodeService_SetViewOnly_FullMethodName: {{request: plain(&candorv1.SetViewOnlyRequest{On: true}), effective: true, undo: func(a *asking) error {
			_, _, err := a.root.Node(a.asked()).SetViewOnly(a.t.Context(), false)
			a.cluster.Until("the view serves again", func() bool { return a.state().Mode != candor.ModeViewOnly })
			return err
		}}},
		candorv1.NodeService_Repair_FullMethodName:          oneRow(&candorv1.RepairRequest{}),
		candorv1.NodeService_TailAudit_FullMethodName:       oneRow(&candorv1.TailAuditRequest{Last: 1}),
		candorv1.NodeService_GossipKeys_FullMethodName:      oneRow(&candorv1.GossipKeysRequest{}),
		candorv1.NodeService_AddGossipKey_FullMethodName:    oneRow(&candorv1.AddGossipKeyRequest{Key: "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}),
		candorv1.NodeService_UseGossipKey_FullMethodName:    oneRow(&candorv1.UseGossipKeyRequest{Fingerprint: "ab"}),
		candorv1.NodeService_RemoveGossipKey_FullMethodName: oneRow(&candorv1.RemoveGossipKeyRequest{Fingerprint: "ab"}),

		candorv1.PeerService_Forward_FullMethodName: {
			{what: "a question", request: func(a *asking) proto.Message {
				return &candorv1.ForwardRequest{ClusterId: a.clusterID(), Probe: true}
			}},
			{what: "a command of the administrator's", effective: true, request: func(a *asking) proto.Message {
				c := command.Compact(a.nextFloor())
				c.Actor, c.Verified = "root", true
				return &candorv1.ForwardRequest{ClusterId: a.clusterID(), Term: a.state().Term, Command: command.AppendCommand(nil, c)}
			}},
		},
		candorv1.PeerService_Identify_FullMethodName: oneRow(&candorv1.IdentifyRequest{}),

		// What comes over it is judged by itself.
		candorv1.CallService_Calls_FullMethodName:   oneRow(&candorv1.CallsRequest{}),
		candorv1.CallService_Watches_FullMethodName: oneRow(&candorv1.WatchesRequest{}),

		healthv1.Health_Check_FullMethodName:                              oneRow(&healthv1.HealthCheckRequest{}),
		healthv1.Health_List_FullMethodName:                               oneRow(&healthv1.HealthListRequest{}),
		healthv1.Health_Watch_FullMethodName:                              oneRow(&healthv1.HealthCheckRequest{}),
		reflectionv1.ServerReflection_ServerReflectionInfo_FullMethodName: oneRow(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}),
		// The older form of the same, message for message.
		"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": oneRow(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}),
	}
	maps.Copy(rows, workerRows())
	maps.Copy(rows, explainRows())
	maps.Copy(rows, clusterRows())
	maps.Copy(rows, objectRows())
	maps.Copy(rows, tenureRows())
	return rows
}

// workerRows ask as workers do. w1 is the node of the worker with that certificate.
func workerRows() map[string][]rolesRow {
	registering := func(name string) func(*asking) proto.Message {
		return func(a *asking) proto.Message {
			return &candorv1.RegisterRequest{Nodes: []*candorv1.NodeRegistration{{Name: name, Capacity: map[string]string{"cpu": "1"}, Session: a.object}}}
		}
	}
	return map[string][]rolesRow{
		candorv1.WorkerService_Register_FullMethodName: {
			{what: "node w1", effective: true, request: registering("w1")},
			{what: "node w2", effective: true, request: registering("w2")},
		},
		candorv1.WorkerService_Heartbeat_FullMethodName: {
			{what: "node w1", request: plain(&candorv1.HeartbeatRequest{Beats: []*candorv1.Beat{{Node: "w1", Uid: "uid", Session: "s"}}})},
			{what: "node w2", request: plain(&candorv1.HeartbeatRequest{Beats: []*candorv1.Beat{{Node: "w2", Uid: "uid", Session: "s"}}})},
		},
	}
}

func opening(reset bool) func(*asking) proto.Message {
	return func(*asking) proto.Message {
		b := client.NewToken()
		return &candorv1.OpenRequest{Actor: "eve", Accessor: b.Accessor, Hash: client.HashOf(b), Expires: "2090-01-01T00:00:00Z", Reset_: reset}
	}
}

func clusterRows() map[string][]rolesRow {
	joining := func(self bool) func(*asking) proto.Message {
		return func(a *asking) proto.Message {
			id := "9a"
			if self && a.caller.own != "" {
				id = a.caller.own
			}
			name := "n9"
			if a.caller.mighty {
				name = "n2" // another server has it
			}
			return &candorv1.JoinRequest{ServerId: id, Name: name, RaftAddress: "n9/raft", ApiAddress: "n9", ClusterId: a.clusterID(), FeatureLevel: candor.FeatureLevel}
		}
	}
	// Nobody who may is to do these to a cluster that is still needed.
	harmless := func(a *asking, server string) string {
		if a.caller.mighty {
			return "n9"
		}
		return server
	}
	return map[string][]rolesRow{
		candorv1.ClusterService_Status_FullMethodName:   oneRow(&candorv1.StatusRequest{}),
		candorv1.ClusterService_Members_FullMethodName:  oneRow(&candorv1.MembersRequest{}),
		candorv1.ClusterService_Snapshot_FullMethodName: oneRow(&candorv1.SnapshotRequest{}),
		candorv1.ClusterService_Join_FullMethodName: {
			{what: "a server", request: joining(false)},
			{what: "itself, if it is a server", request: joining(true)},
		},
		candorv1.ClusterService_Remove_FullMethodName: {{request: func(a *asking) proto.Message {
			return &candorv1.RemoveRequest{Server: harmless(a, a.other())}
		}}},
		candorv1.ClusterService_Replace_FullMethodName: {{request: func(a *asking) proto.Message {
			return &candorv1.ReplaceRequest{Server: harmless(a, a.other()), With: harmless(a, a.other())}
		}}},
		candorv1.ClusterService_Promote_FullMethodName: {{request: func(a *asking) proto.Message {
			return &candorv1.PromoteRequest{Server: harmless(a, a.other())}
		}}},
		candorv1.ClusterService_TransferLeader_FullMethodName: {{request: func(a *asking) proto.Message {
			return &candorv1.TransferLeaderRequest{Server: harmless(a, a.other())}
		}}},
		candorv1.ClusterService_Compact_FullMethodName: {{effective: true, request: func(a *asking) proto.Message {
			return &candorv1.CompactRequest{Revision: a.nextFloor()}
		}}},
		candorv1.ClusterService_RaiseFeatureLevel_FullMethodName: oneRow(&candorv1.RaiseFeatureLevelRequest{Level: candor.FeatureLevel}),
	}
}

func (a *asking) clusterID() string { return a.leader().Machine().View().ClusterID() }

// nextFloor is a floor that changes something.
func (a *asking) nextFloor() uint64 { return a.state().Floor + 1 }

// other is a server that is not asked.
func (a *asking) other() string {
	for _, name := range []string{"n1", "n2"} {
		if name != a.asked() {
			return name
		}
	}
	panic(fmt.Sprintf("every server is %s", a.asked()))
}
