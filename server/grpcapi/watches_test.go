package grpcapi_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// watchesOf is a message that opens each with so much credit.
func watchesOf(credit uint64, each ...*candorv1.WatchRequest) *candorv1.WatchesRequest {
	out := &candorv1.WatchesRequest{Closed: []uint64{99}, Credits: []*candorv1.WatchCredit{{Id: 99, Bytes: 1}, {Id: 1, Bytes: 1 << 63}}}
	for i, in := range each {
		request, err := proto.MarshalOptions{Deterministic: true}.Marshal(in)
		if err != nil {
			panic(err) // unreachable: they are the tests' own
		}
		out.Opened = append(out.Opened, &candorv1.WatchOpening{
			Id: uint64(i + 1), Request: request, Credit: credit,
			Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Tracestate: "a=b",
		})
	}
	return out
}

// FuzzWatches sends two messages to a stream of watches, and closes all that they
// opened. Every watch that the server took ends once, nothing is delivered to others,
// or after the end, or without credit, and the cluster stays sound.
func FuzzWatches(f *testing.F) {
	seed := func(messages ...*candorv1.WatchesRequest) {
		var encoded [2][]byte
		for i, m := range messages {
			b, err := proto.Marshal(m)
			if err != nil {
				f.Fatal(err)
			}
			encoded[i] = b
		}
		f.Add(encoded[0], encoded[1])
	}
	all := &candorv1.WatchRequest{Kind: widgets, AfterRevision: 1, Read: &candorv1.ReadOptions{Freshness: candorv1.Freshness_FRESHNESS_BEST_EFFORT}}
	some := watchesOf(1<<20, all, all, &candorv1.WatchRequest{}, all)
	seed(some)
	seed(watchesOf(0, all, all), &candorv1.WatchesRequest{Credits: []*candorv1.WatchCredit{{Id: 1, Bytes: 1}, {Id: 2, Bytes: 1 << 62}}})
	seed(some, &candorv1.WatchesRequest{Closed: []uint64{1, 2, 1 << 60}})
	seed(some, some) // numbers that do not ascend
	seed(&candorv1.WatchesRequest{Opened: []*candorv1.WatchOpening{{Id: 1 << 63, Request: []byte{0xff}, Credit: 1<<64 - 1}, nil}})
	f.Add([]byte{0xff}, []byte{})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		if len(first)+len(second) > most {
			t.Skip()
		}
		open, credit := map[uint64]bool{}, map[uint64]bool{}
		var messages []*candorv1.WatchesRequest
		for _, data := range [][]byte{first, second} {
			m := new(candorv1.WatchesRequest)
			if proto.Unmarshal(data, m) != nil {
				break // gRPC's own refusal, which FuzzSurface looks at
			}
			messages = append(messages, m)
			for _, o := range m.GetOpened() {
				open[o.GetId()] = true
				credit[o.GetId()] = credit[o.GetId()] || o.GetCredit() > 0
			}
			for _, c := range m.GetCredits() {
				credit[c.GetId()] = credit[c.GetId()] || c.GetBytes() > 0
			}
		}
		synctest.Test(t, func(t *testing.T) {
			x := newFixture(t)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			stream, err := candorv1.NewCallServiceClient(x.dial(x.cluster.Leader().Name())).Watches(ctx)
			if err != nil {
				t.Fatal(err)
			}
			closing := &candorv1.WatchesRequest{}
			for id := range open {
				closing.Closed = append(closing.Closed, id)
			}
			for _, m := range messages {
				if err := stream.Send(m); err != nil && !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			if err := stream.Send(closing); err != nil && !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			if err := stream.CloseSend(); err != nil {
				t.Fatal(err)
			}
			for {
				m, err := stream.Recv()
				if errors.Is(err, io.EOF) {
					if len(open) > 0 {
						t.Errorf("the stream ended well, and watches %v go on", open)
					}
					break
				}
				if err != nil {
					wantKnownStatus(t, candorv1.CallService_Watches_FullMethodName, err)
					break
				}
				for _, d := range m.GetDeliveries() {
					for _, id := range d.GetWatches() {
						if !open[id] || len(d.GetResponse()) > 0 && !credit[id] {
							t.Errorf("watch %d is told something: open %v, with credit %v", id, open[id], credit[id])
						}
						if len(d.GetResponse()) == 0 {
							delete(open, id)
						}
					}
					wantDelivery(t, d)
				}
			}
			x.wantSound()
		})
	})
}

func wantDelivery(t *testing.T, d *candorv1.Delivery) {
	t.Helper()
	if len(d.GetResponse()) > 0 {
		if err := proto.Unmarshal(d.GetResponse(), new(candorv1.WatchResponse)); err != nil {
			t.Errorf("%v: %v", d, err)
		}
		return
	}
	var p spb.Status
	if err := proto.Unmarshal(d.GetStatus(), &p); err != nil || p.GetCode() == int32(codes.OK) {
		t.Fatalf("watches ended with no refusal: %v, %v", &p, err)
	}
	switch err := status.ErrorProto(&p); status.Code(err) {
	case codes.Canceled:
	case codes.Internal: // the request does not decode
		if in := status.Convert(err).Message(); len(in) < 18 || in[:18] != "decode the request" {
			wantKnownStatus(t, candorv1.ObjectService_Watch_FullMethodName, err)
		}
	default:
		wantKnownStatus(t, candorv1.ObjectService_Watch_FullMethodName, err)
	}
}
