package grpcapi

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/rpc/tracing"
)

// Tracing gives every request of Candor's services a span that goes on the trace
// that it came with, and says in the protocol's words what became of it. A
// stream's span ends with its first message: by then it was admitted. The peer
// service goes on traces and begins none, so that what servers ask each other
// all the time leaves none of its own. The options go before those of
// Interceptors. node is what every span says of this server.
func Tracing(provider trace.TracerProvider, node ...attribute.KeyValue) []grpc.ServerOption {
	if provider == nil {
		panic("grpcapi: tracing needs a provider of tracers")
	}
	t := &tracer{tracer: provider.Tracer(tracing.Scope), node: node}
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(t.unary), grpc.ChainStreamInterceptor(t.stream)}
}

// Traced is what Tracing does, for calls that come another way.
func Traced(provider trace.TracerProvider, node ...attribute.KeyValue) Way {
	if provider == nil {
		panic("grpcapi: tracing needs a provider of tracers")
	}
	t := &tracer{tracer: provider.Tracer(tracing.Scope), node: node}
	return Way{Unary: t.unary, Stream: t.stream}
}

type tracer struct {
	tracer trace.Tracer
	node   []attribute.KeyValue
}

const ourServices = "/candor."

// begin returns a nil span for what is not traced at all.
func (t *tracer) begin(ctx context.Context, method string) (context.Context, trace.Span) {
	// What brings requests is none itself.
	if !strings.HasPrefix(method, ourServices) || methodOf(method).from == anybody {
		return ctx, nil
	}
	ctx = tracing.Extract(ctx)
	ofPeers := strings.HasPrefix(method, "/"+candorv1.PeerService_ServiceDesc.ServiceName+"/")
	if ofPeers && !trace.SpanContextFromContext(ctx).IsValid() {
		return ctx, nil
	}
	return t.tracer.Start(ctx, tracing.SpanName(method), trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(tracing.Method(method)...), trace.WithAttributes(t.node...))
}

func (t *tracer) unary(ctx context.Context, in any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	ctx, span := t.begin(ctx, info.FullMethod)
	if span == nil {
		return handle(ctx, in)
	}
	defer span.End()
	out, err := handle(ctx, in)
	if span.IsRecording() {
		ended(span, out, err)
	}
	return out, err
}

func (t *tracer) stream(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	ctx, span := t.begin(stream.Context(), info.FullMethod)
	if span == nil {
		return handle(service, stream)
	}
	traced := &tracedStream{ServerStream: stream, ctx: ctx, span: span}
	err := handle(service, traced)
	traced.end(nil, err)
	return err
}

// tracedStream belongs to the handler's goroutine.
type tracedStream struct {
	grpc.ServerStream
	ctx   context.Context //nolint:containedctx // it is the stream's own, with the span
	span  trace.Span
	ended bool
}

// Context is the stream's with its span.
func (s *tracedStream) Context() context.Context { return s.ctx }

// SendMsg ends the span.
func (s *tracedStream) SendMsg(m any) error {
	err := s.ServerStream.SendMsg(m)
	s.end(m, err)
	return err
}

func (s *tracedStream) end(first any, err error) {
	if s.ended {
		return
	}
	s.ended = true
	if s.span.IsRecording() {
		ended(s.span, first, err)
	}
	s.span.End()
}

// ended says what became of a request. The status is an error where the server
// failed; a refusal that the caller asked for has its reason alone.
func ended(span trace.Span, out any, err error) {
	if err == nil {
		span.SetAttributes(tracing.Answer(out)...)
		return
	}
	code := status.Code(err)
	span.SetAttributes(attribute.Int("rpc.grpc.status_code", int(code)))
	reason := code.String()
	if e, ok := convert.Refusal(err); ok {
		reason = string(e.Reason)
		span.SetAttributes(tracing.Refusal(e.Reason)...)
		span.SetAttributes(tracing.Witness(e.Witness)...)
	}
	switch code {
	case codes.Unknown, codes.DeadlineExceeded, codes.Unimplemented, codes.Internal, codes.Unavailable, codes.DataLoss:
		span.SetStatus(otelcodes.Error, reason)
	default:
	}
}
