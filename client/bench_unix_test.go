//go:build unix

package client_test

import (
	"context"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// answering is a server that answers at once with one recorded message.
type answering struct {
	candorv1.UnimplementedObjectServiceServer
	candorv1.UnimplementedClusterServiceServer
	get    *candorv1.GetResponse
	weaker *candorv1.GetResponse // for any class but STRONG
	create *candorv1.CreateResponse
	status *candorv1.StatusResponse
}

func (a *answering) Get(_ context.Context, in *candorv1.GetRequest) (*candorv1.GetResponse, error) {
	if in.GetRead().GetFreshness() != candorv1.Freshness_FRESHNESS_STRONG {
		return a.weaker, nil
	}
	return a.get, nil
}

func (a *answering) Create(context.Context, *candorv1.CreateRequest) (*candorv1.CreateResponse, error) {
	return a.create, nil
}

func (a *answering) Status(context.Context, *candorv1.StatusRequest) (*candorv1.StatusResponse, error) {
	return a.status, nil
}

func (a *answering) Members(context.Context, *candorv1.MembersRequest) (*candorv1.MembersResponse, error) {
	return &candorv1.MembersResponse{}, nil
}

func benchServer(b *testing.B) func(context.Context, string) (net.Conn, error) {
	n := &node{name: "n1", addr: "n1:1"}
	a := &answering{
		get:    &candorv1.GetResponse{Object: webObject(5), Witness: n.witness(token(5), n)},
		weaker: &candorv1.GetResponse{Object: webObject(5), Witness: n.weaker(candorv1.Freshness_FRESHNESS_BOUNDED, token(5))},
		create: &candorv1.CreateResponse{Result: n.result(token(5))},
		status: &candorv1.StatusResponse{Witness: n.witness(token(5), n)},
	}
	lis := bufconn.Listen(1 << 20)
	srv := grpc.NewServer()
	candorv1.RegisterObjectServiceServer(srv, a)
	candorv1.RegisterClusterServiceServer(srv, a)
	go func() { _ = srv.Serve(lis) }()
	b.Cleanup(srv.Stop)
	return func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }
}

// processorTime is what this process, client and server, has used so far: unlike
// the wall clock it hardly depends on what else the machine does.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// The difference between a call by the SDK and the same message by gRPC alone,
// in time and allocations, is the SDK's own cost.
func BenchmarkCall(b *testing.B) {
	dial := benchServer(b)
	c, err := client.New(client.Config{Endpoints: []string{"n1:1"}, Actor: "ana", Dialer: dial})
	if err != nil {
		b.Fatal(err)
	}
	spread, err := client.New(client.Config{Endpoints: []string{"n1:1", "n2:1", "n3:1"}, Actor: "ana", Dialer: dial})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { spread.Close() })
	conn, err := grpc.NewClient("passthrough:///n1:1", grpc.WithContextDialer(dial), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close(); conn.Close() })
	plain := candorv1.NewObjectServiceClient(conn)
	object := deployment()
	message := &candorv1.CreateRequest{
		Object: webObject(0), Write: &candorv1.WriteOptions{RequestId: "6ba7b810-9dad-11d1-80b4-00c04fd430c8", NotAfter: int64(time.Hour)},
	}
	for _, bench := range []struct {
		name string
		call func(ctx context.Context) error
	}{
		{"get/sdk", func(ctx context.Context) error { _, _, err := c.Get(ctx, web); return err }},
		{"get/sdk, spread over three", func(ctx context.Context) error {
			_, _, err := spread.Get(ctx, web, client.WithFreshness(candor.FreshnessBounded))
			return err
		}},
		{"get/grpc", func(ctx context.Context) error {
			_, err := plain.Get(ctx, &candorv1.GetRequest{
				Kind: string(web.Kind), Namespace: web.Namespace, Name: web.Name, Read: &candorv1.ReadOptions{Freshness: 1},
			})
			return err
		}},
		{"create/sdk", func(ctx context.Context) error { _, err := c.Create(ctx, object); return err }},
		{"create/grpc", func(ctx context.Context) error { _, err := plain.Create(ctx, message); return err }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
			defer cancel()
			b.ReportAllocs()
			before := processorTime(b)
			for b.Loop() {
				if err := bench.call(ctx); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// A thousand callers share one client: nothing of the SDK's own may serialise
// them.
func BenchmarkThousandCallers(b *testing.B) {
	dial := benchServer(b)
	c, err := client.New(client.Config{Endpoints: []string{"n1:1"}, Actor: "ana", Dialer: dial})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	object := deployment()
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	b.ReportAllocs()
	b.SetParallelism(1000 / runtime.GOMAXPROCS(0))
	before := processorTime(b)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, err := c.Create(ctx, object); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
}
