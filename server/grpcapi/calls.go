package grpcapi

import (
	"context"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/codec"
)

const (
	// MaxCalls is how many calls without an answer a stream may have.
	MaxCalls = 1024
	// maxCallStreams bounds the streams of a server. Whoever gets none calls without.
	maxCallStreams = 4096
	// maxAnswer bounds an encoded response: with its frame it must fit into a message.
	maxAnswer = 7 << 20
	// callStreamAge is how long a stream takes calls. It is shorter than the grace that
	// a connection gets at the end of its age, so that no call is cut off by that.
	callStreamAge = 4 * time.Minute
)

// carried are the methods that come over streams: those that are answered at once,
// by one object or few.
var carried = []string{
	candorv1.ObjectService_Get_FullMethodName, candorv1.ObjectService_Create_FullMethodName, candorv1.ObjectService_Update_FullMethodName,
	candorv1.ObjectService_Patch_FullMethodName, candorv1.ObjectService_UpdateStatus_FullMethodName, candorv1.ObjectService_Observe_FullMethodName,
	candorv1.ObjectService_Delete_FullMethodName, candorv1.ObjectService_Txn_FullMethodName,
}

// Calls is the call service. A call or a watch that came over a stream goes the way
// of any other: through the same interceptors, in a context with the caller's
// address, certificate and metadata, to the handler that gRPC would have called.
type Calls struct {
	candorv1.UnimplementedCallServiceServer
	objects  candorv1.ObjectServiceServer
	methods  map[string]*grpc.MethodDesc
	watch    grpc.StreamHandler
	through  Way
	codec    codec.Codec
	stopping <-chan struct{}
	reading  *sync.WaitGroup
	// streams are those of calls, watching those of watches.
	streams, watching atomic.Int64
}

// NewCalls returns the service. through are the interceptors, the outermost first. A
// stream takes no calls once stopping is closed. reading counts the goroutines that
// may outlive their streams for a moment.
func NewCalls(objects candorv1.ObjectServiceServer, through []Way, stopping <-chan struct{}, reading *sync.WaitGroup) *Calls {
	if objects == nil || len(through) == 0 || stopping == nil || reading == nil {
		panic("grpcapi: the call service needs objects, interceptors, a channel that says when to stop and a wait group")
	}
	c := &Calls{objects: objects, methods: map[string]*grpc.MethodDesc{}, through: chained(through), codec: codec.New(), stopping: stopping, reading: reading}
	for i := range candorv1.ObjectService_ServiceDesc.Methods {
		m := &candorv1.ObjectService_ServiceDesc.Methods[i]
		for _, name := range carried {
			if name[strings.LastIndexByte(name, '/')+1:] == m.MethodName {
				c.methods[name] = m
			}
		}
	}
	for i := range candorv1.ObjectService_ServiceDesc.Streams {
		if m := &candorv1.ObjectService_ServiceDesc.Streams[i]; m.StreamName == "Watch" {
			c.watch = m.Handler
		}
	}
	return c
}

// Calls serves one stream.
func (c *Calls) Calls(stream candorv1.CallService_CallsServer) error {
	defer c.streams.Add(-1)
	if n := c.streams.Add(1); n > maxCallStreams {
		return candor.Errorf(candor.ReasonQueueSaturated, "this server has %d streams of calls, which are the most: call without one", maxCallStreams)
	}
	if err := stream.Send(&candorv1.CallsResponse{Limit: MaxCalls}); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(stream.Context())
	s := newCallStream(ctx, c, stream)
	// A stream that does not end well takes its calls with it.
	defer s.workers.Wait()
	defer cancel()
	defer s.close()
	received := make(chan error, 1)
	c.reading.Go(func() { received <- s.receive() })
	return s.answer(received)
}

// carry makes the call and encodes what becomes of it.
func (c *Calls) carry(ctx context.Context, call *candorv1.Call) *candorv1.Answer {
	answer := &candorv1.Answer{Id: call.GetId()}
	response, err := c.call(ctx, call)
	if err == nil {
		answer.Response = response
		return answer
	}
	answer.Status = encodedStatus(err)
	return answer
}

// encodedStatus is the status of the error; empty for none.
func encodedStatus(err error) []byte {
	encoded, marshalErr := proto.Marshal(status.Convert(err).Proto())
	if marshalErr != nil {
		encoded, _ = proto.Marshal(status.New(codes.Internal, "the status cannot be encoded").Proto())
	}
	return encoded
}

func (c *Calls) call(ctx context.Context, call *candorv1.Call) ([]byte, error) {
	m := c.methods[call.GetMethod()]
	if m == nil {
		return nil, status.Errorf(codes.Unimplemented, "%q is not called over a stream", call.GetMethod())
	}
	decode := func(in any) error {
		if err := c.codec.Unmarshal(mem.BufferSlice{mem.SliceBuffer(call.GetRequest())}, in); err != nil {
			return status.Errorf(codes.Internal, "decode the request: %v", err)
		}
		return nil
	}
	out, err := m.Handler(c.objects, ctx, decode, c.through.Unary)
	if err != nil {
		return nil, err
	}
	encoded, err := c.codec.Marshal(out)
	if err != nil {
		return nil, status.Errorf(codes.Internal, "encode the response: %v", err)
	}
	defer encoded.Free()
	if size := encoded.Len(); size > maxAnswer {
		return nil, status.Errorf(codes.ResourceExhausted, "the response has %d bytes; a stream carries at most %d", size, maxAnswer)
	}
	return encoded.Materialize(), nil
}

// within is the context of one call: the stream's, with the trace and the deadline
// that came with the call.
func within(ctx context.Context, call *candorv1.Call) (context.Context, context.CancelFunc) {
	ctx = traced(ctx, call)
	if call.GetTimeout() == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Duration(min(call.GetTimeout(), math.MaxInt64)))
}

// traced is the context of the stream with the trace that came with a call.
func traced(ctx context.Context, call interface {
	GetTraceparent() string
	GetTracestate() string
}) context.Context {
	if call.GetTraceparent() == "" {
		return ctx
	}
	came, _ := metadata.FromIncomingContext(ctx)
	came.Set("traceparent", call.GetTraceparent())
	if call.GetTracestate() != "" {
		came.Set("tracestate", call.GetTracestate())
	}
	return metadata.NewIncomingContext(ctx, came)
}
