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

// callsOf is a message that has each as a call of Create.
func callsOf(each ...*candorv1.CreateRequest) *candorv1.CallsRequest {
	out := &candorv1.CallsRequest{Cancelled: []uint64{99}}
	for i, in := range each {
		request, err := proto.MarshalOptions{Deterministic: true}.Marshal(in)
		if err != nil {
			panic(err) // unreachable: they are the tests' own
		}
		out.Calls = append(out.Calls, &candorv1.Call{
			Id: uint64(i + 1), Method: candorv1.ObjectService_Create_FullMethodName, Request: request, Timeout: uint64(5 * time.Second),
			Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Tracestate: "a=b",
		})
	}
	return out
}

// FuzzCalls sends two messages of calls. Every call that the server took is answered
// once, with a response or with a status that its method could have without the
// stream, and the cluster stays sound.
func FuzzCalls(f *testing.F) {
	seed := func(messages ...*candorv1.CallsRequest) {
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
	one := callsOf(&candorv1.CreateRequest{}, &candorv1.CreateRequest{})
	seed(one)
	seed(one, &candorv1.CallsRequest{Cancelled: []uint64{1, 2, 1 << 60}})
	seed(one, one) // numbers that do not ascend
	seed(&candorv1.CallsRequest{Calls: []*candorv1.Call{{Id: 1 << 63, Method: candorv1.ObjectService_Watch_FullMethodName}}})
	seed(&candorv1.CallsRequest{Calls: []*candorv1.Call{{Id: 1, Method: candorv1.ObjectService_Get_FullMethodName, Request: []byte{0xff}, Timeout: 1}, nil}})
	seed(&candorv1.CallsRequest{Calls: []*candorv1.Call{{Id: 1, Method: candorv1.ObjectService_Delete_FullMethodName, Timeout: 1<<64 - 1, Traceparent: "x", Tracestate: "="}}})
	f.Add([]byte{0xff}, []byte{})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		if len(first)+len(second) > most {
			t.Skip()
		}
		taken := map[uint64]string{}
		var messages []*candorv1.CallsRequest
		for _, data := range [][]byte{first, second} {
			m := new(candorv1.CallsRequest)
			if proto.Unmarshal(data, m) != nil {
				break // gRPC's own refusal, which FuzzSurface looks at
			}
			messages = append(messages, m)
			for _, c := range m.GetCalls() {
				taken[c.GetId()] = c.GetMethod()
			}
		}
		synctest.Test(t, func(t *testing.T) {
			x := newFixture(t)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			stream, err := candorv1.NewCallServiceClient(x.dial(x.cluster.Leader().Name())).Calls(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range messages {
				if err := stream.Send(m); err != nil && !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
			}
			if err := stream.CloseSend(); err != nil {
				t.Fatal(err)
			}
			for {
				m, err := stream.Recv()
				if errors.Is(err, io.EOF) {
					if len(taken) > 0 {
						t.Errorf("the stream ended well, and %v were not answered", taken)
					}
					break
				}
				if err != nil {
					wantKnownStatus(t, candorv1.CallService_Calls_FullMethodName, err)
					break
				}
				for _, a := range m.GetAnswers() {
					method, mine := taken[a.GetId()]
					if delete(taken, a.GetId()); !mine {
						t.Errorf("an answer to call %d, which nobody waits for", a.GetId())
					}
					wantAnswer(t, method, a)
				}
			}
			x.wantSound()
		})
	})
}

func wantAnswer(t *testing.T, method string, a *candorv1.Answer) {
	t.Helper()
	if a.GetStatus() == nil {
		return
	}
	var p spb.Status
	if err := proto.Unmarshal(a.GetStatus(), &p); err != nil || p.GetCode() == int32(codes.OK) {
		t.Fatalf("call %d was answered with no refusal: %v, %v", a.GetId(), &p, err)
	}
	switch err := status.ErrorProto(&p); status.Code(err) {
	case codes.Unimplemented: // not called over a stream
	case codes.Internal: // the request does not decode
		if in := status.Convert(err).Message(); len(in) < 18 || in[:18] != "decode the request" {
			wantKnownStatus(t, method, err)
		}
	default:
		wantKnownStatus(t, method, err)
	}
}
