package clustertest_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/server/servertest"
)

// One number a call, by one caller and by many, with the SDK, which shares requests,
// and by gRPC alone, which does not; all servers are in this process.
func BenchmarkNumbers(b *testing.B) {
	c := servertest.Start(b)
	k := c.Client(b)
	// Until the duties are held, and the holder known.
	if _, err := k.AllocIDs(b.Context(), 1); err != nil {
		b.Fatal(err)
	}
	if _, err := k.Timestamps(b.Context(), 1); err != nil {
		b.Fatal(err)
	}
	holder := ""
	list, err := k.Tenures(b.Context(), client.OnEndpoint(c.Leader().Name()))
	if err != nil {
		b.Fatal(err)
	}
	for _, x := range list.Tenures {
		if x.Duty == "ids" {
			holder = x.Current.HolderName
		}
	}
	conn, err := grpc.NewClient("passthrough:///"+holder, grpc.WithContextDialer(c.Dialer()), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	plain := candorv1.NewAllocServiceClient(conn)
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	calls := map[string]func() error{
		"ids/shared":        func() error { _, err := k.AllocIDs(ctx, 1); return err },
		"ids/alone":         func() error { _, err := plain.AllocIDs(ctx, &candorv1.AllocIDsRequest{Count: 1}); return err },
		"timestamps/shared": func() error { _, err := k.Timestamps(ctx, 1); return err },
		"timestamps/alone": func() error {
			_, err := plain.AllocTimestamps(ctx, &candorv1.AllocTimestampsRequest{Count: 1})
			return err
		},
	}
	for _, name := range []string{"ids/alone", "ids/shared", "timestamps/alone", "timestamps/shared"} {
		b.Run(name+"/1", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := calls[name](); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/64", func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(max(1, 64/runtime.GOMAXPROCS(0)))
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if err := calls[name](); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
