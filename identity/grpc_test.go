package identity_test

import (
	"context"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
)

// gRPC changes the configurations that it is given; what they promise must hold.
func TestTheConfigurationsHoldUnderGRPC(t *testing.T) {
	a := authority(t, "c1", epoch)
	s, files := open(t, issue(t, a, server("c1", "s1"), year, epoch), epoch)
	ana, _ := open(t, issue(t, a, client("c1", "ana"), year, epoch), epoch)
	eve, _ := open(t, issue(t, a, worker("c1", "eve"), year, epoch), epoch)
	refused, callers := make(chan error, 8), make(chan candor.Identity, 8)
	srv := grpc.NewServer(
		grpc.Creds(credentials.NewTLS(s.Server(identity.Serving{
			Expect:  identity.OneOf(candor.PartyClient),
			Refused: func(_ string, err error) { refused <- err },
		}))),
		grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			p, _ := peer.FromContext(ctx)
			info, _ := p.AuthInfo.(credentials.TLSInfo)
			id, err := identity.PeerOf(&info.State)
			if err != nil {
				return nil, err
			}
			callers <- id
			return handle(ctx, req)
		}),
	)
	grpc_health_v1.RegisterHealthServer(srv, health.NewServer())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(listener) }()
	defer func() { srv.Stop(); <-served }()

	call := func(as *identity.Source) error {
		conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(credentials.NewTLS(as.Client(identity.Exactly(candor.PartyServer, "s1")))))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, err = grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
		return err
	}
	if err = call(ana); err != nil {
		t.Fatal(err)
	}
	if id := <-callers; id != client("c1", "ana") {
		t.Errorf("called by %s", id.URI())
	}
	// The same configuration after its certificate was replaced.
	rotate(t, s, files, issue(t, a, server("c1", "s1"), 2*year, epoch))
	if err = call(ana); err != nil {
		t.Error(err)
	}
	if err = call(eve); status.Code(err) != codes.Unavailable {
		t.Errorf("a refused party got %v", err)
	}
	says(t, <-refused, candor.ReasonUnauthenticated, "spiffe://c1/worker/eve", "want a client")
	if len(callers) != 1 {
		t.Error("a refused party's call was handled")
	}
}
