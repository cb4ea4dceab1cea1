package grpcapi_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// surface is every method that a server answers, by its full name, and whether
// its answer is a stream.
func surface() map[string]bool {
	methods := map[string]bool{}
	for _, service := range []grpc.ServiceDesc{
		candorv1.ObjectService_ServiceDesc, candorv1.ClusterService_ServiceDesc, candorv1.DiagnosticsService_ServiceDesc,
		candorv1.NodeService_ServiceDesc, candorv1.PeerService_ServiceDesc, candorv1.TenureService_ServiceDesc, candorv1.TransitionService_ServiceDesc, candorv1.AllocService_ServiceDesc, candorv1.WorkerService_ServiceDesc, candorv1.ExplainService_ServiceDesc, candorv1.CallService_ServiceDesc, healthv1.Health_ServiceDesc,
	} {
		for _, m := range service.Methods {
			methods["/"+service.ServiceName+"/"+m.MethodName] = false
		}
		for _, s := range service.Streams {
			methods["/"+service.ServiceName+"/"+s.StreamName] = true
		}
	}
	return methods
}

// opaque sends bytes as a message, and keeps an answer as it came.
type opaque struct{}

func (opaque) Name() string { return "proto" }

func (opaque) Marshal(v any) ([]byte, error) {
	b, ok := v.([]byte)
	if !ok {
		return nil, fmt.Errorf("%T is no message of bytes", v)
	}
	return b, nil
}

func (opaque) Unmarshal(data []byte, v any) error {
	to, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("%T takes no message of bytes", v)
	}
	*to = append([]byte(nil), data...)
	return nil
}

// most is how large a fuzzed message may be: what is larger takes time and says
// no more.
const most = 64 << 10

// FuzzSurface sends arbitrary bytes as the request of one method to one server
// of a cluster. It answers in time, with a status that the table of reasons or
// gRPC itself gives, and the cluster goes on as before: nobody panics, no turn
// fails, a write is made, and all servers are in one state.
func FuzzSurface(f *testing.F) {
	for _, r := range requests() {
		f.Add(r.method, false, r.bytes(f))
		f.Add(r.method, true, r.bytes(f))
	}
	methods := surface()
	for _, method := range slices.Sorted(maps.Keys(methods)) {
		f.Add(method, true, []byte(nil))
		f.Add(method, true, []byte{0xff})
	}
	// Those that are wrong have their own test; here they are to begin with.
	if fuzzing := flag.Lookup("test.fuzz"); fuzzing != nil && fuzzing.Value.String() != "" {
		for _, r := range wrong() {
			if b := r.bytes(f); len(b) <= most {
				f.Add(r.method, true, b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, method string, leader bool, body []byte) {
		stream, known := methods[method]
		if !known || len(body) > most {
			t.Skip()
		}
		synctest.Test(t, func(t *testing.T) {
			x := newFixture(t)
			to := x.cluster.Leader()
			if !leader {
				to = x.cluster.Follower()
			}
			// As long as a server may take for what it does by itself.
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			began := time.Now()
			err := ask(ctx, x.dial(to.Name(), grpc.ForceCodec(opaque{})), method, stream, body)
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("%s took %s", method, took)
			}
			wantKnownStatus(t, method, err)
			x.wantSound()
		})
	})
}

// ask sends the request as ana and reads the answer, or the first few of a stream.
func ask(ctx context.Context, conn *grpc.ClientConn, method string, stream bool, body []byte) error {
	ctx = metadata.AppendToOutgoingContext(ctx, "candor-actor", "ana")
	var answer []byte
	if !stream {
		return conn.Invoke(ctx, method, body, &answer)
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	s, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, method)
	if err != nil {
		return err
	}
	if err := s.SendMsg(body); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := s.CloseSend(); err != nil {
		return err
	}
	for range 100 {
		if err := s.RecvMsg(&answer); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// wantKnownStatus fails unless an answer is one that a client can act on.
func wantKnownStatus(t testing.TB, method string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if refused, ok := convert.Refusal(err); ok {
		switch {
		case !refused.Reason.Known() || refused.Message == "":
			t.Errorf("%s: a refusal that nobody knows: %v", method, err)
		case refused.Reason == candor.ReasonInternal, refused.Reason == candor.ReasonTurnFault, refused.Reason == candor.ReasonInvariantViolated, refused.Reason == candor.ReasonDataCorrupt:
			t.Errorf("%s: bad input is taken for a failure: %v", method, err)
		}
		return
	}
	st := status.Convert(err)
	switch {
	case st.Code() == codes.DeadlineExceeded:
	case st.Code() == codes.Internal && strings.Contains(st.Message(), "unmarshal"):
	case strings.HasPrefix(method, "/grpc.health.") && (st.Code() == codes.NotFound || st.Code() == codes.Canceled):
	default:
		t.Errorf("%s: neither a refusal nor gRPC's own: %v", method, err)
	}
}
