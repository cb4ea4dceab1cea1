package grpcapi

import (
	"testing"

	"google.golang.org/grpc"

	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// TestEveryMethodIsKnownAtTheDoor: one that is added without saying what it takes
// would be everybody's, and uncounted.
func TestEveryMethodIsKnownAtTheDoor(t *testing.T) {
	seen := map[string]bool{}
	for _, service := range []grpc.ServiceDesc{
		candorv1.ObjectService_ServiceDesc, candorv1.ClusterService_ServiceDesc, candorv1.DiagnosticsService_ServiceDesc,
		candorv1.NodeService_ServiceDesc, candorv1.AccessService_ServiceDesc, candorv1.PeerService_ServiceDesc,
		candorv1.TenureService_ServiceDesc, candorv1.TransitionService_ServiceDesc, candorv1.AllocService_ServiceDesc, candorv1.WorkerService_ServiceDesc, candorv1.ExplainService_ServiceDesc, candorv1.CallService_ServiceDesc,
	} {
		var names []string
		for _, m := range service.Methods {
			names = append(names, m.MethodName)
		}
		for _, m := range service.Streams {
			names = append(names, m.StreamName)
		}
		for _, name := range names {
			full := "/" + service.ServiceName + "/" + name
			seen[full] = true
			m, ok := methods[full]
			if !ok || m.class == "" {
				t.Errorf("%s has no class and no right", full)
				continue
			}
			if ofServers := service.ServiceName == candorv1.PeerService_ServiceDesc.ServiceName; ofServers != (m.from == serversOnly) {
				t.Errorf("%s: only the methods between servers are theirs alone", full)
			}
		}
	}
	for name := range methods {
		if !seen[name] {
			t.Errorf("%s is no method", name)
		}
	}
}
