package grpcapi

import (
	"strings"
	"testing"

	"google.golang.org/grpc"

	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// TestEveryMethodHasItsRight: one that is added without saying what it takes would
// be everybody's.
func TestEveryMethodHasItsRight(t *testing.T) {
	seen := map[string]bool{}
	for _, service := range []grpc.ServiceDesc{
		candorv1.ObjectService_ServiceDesc, candorv1.ClusterService_ServiceDesc, candorv1.DiagnosticsService_ServiceDesc,
		candorv1.NodeService_ServiceDesc, candorv1.AccessService_ServiceDesc,
	} {
		var names []string
		for _, m := range service.Methods {
			names = append(names, m.MethodName)
		}
		for _, m := range service.Streams {
			names = append(names, m.StreamName)
		}
		for _, name := range names {
			method := "/" + service.ServiceName + "/" + name
			seen[method] = true
			if _, ok := rights[method]; !ok {
				t.Errorf("%s has no right", method)
			}
			if classes[method] == "" {
				t.Errorf("%s has no admission class", method)
			}
		}
	}
	for method := range rights {
		if !seen[method] {
			t.Errorf("%s is no method", method)
		}
		if strings.Contains(method, "PeerService") {
			t.Errorf("%s is the servers' own", method)
		}
	}
}
