package grpcapi

import (
	"testing"

	"google.golang.org/grpc"

	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

func TestEveryRequestOfAClientHasAnAdmissionClass(t *testing.T) {
	known := 0
	for _, service := range []grpc.ServiceDesc{candorv1.ObjectService_ServiceDesc, candorv1.ClusterService_ServiceDesc, candorv1.DiagnosticsService_ServiceDesc, candorv1.NodeService_ServiceDesc, candorv1.AccessService_ServiceDesc} {
		var names []string
		for _, m := range service.Methods {
			names = append(names, m.MethodName)
		}
		for _, s := range service.Streams {
			names = append(names, s.StreamName)
		}
		for _, name := range names {
			if classes["/"+service.ServiceName+"/"+name] == "" {
				t.Errorf("%s of %s has none", name, service.ServiceName)
			}
			known++
		}
	}
	if known != len(classes) {
		t.Errorf("%d classes for %d methods", len(classes), known)
	}
}
