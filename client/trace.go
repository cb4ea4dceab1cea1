package client

import (
	"context"

	"go.opentelemetry.io/otel/trace"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/rpc/tracing"
)

// begin starts the request's span, which its attempts are events of, and which
// the servers' spans are below of. Without Config.Tracer there is none.
func (c *Client) begin(ctx context.Context, r *request) context.Context {
	if c.tracer == nil {
		return ctx
	}
	ctx, r.span = c.tracer.Start(ctx, tracing.SpanName(r.method), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(tracing.Method(r.method)...))
	if r.repeatable && r.subject != "" {
		r.span.SetAttributes(tracing.RequestID.String(r.subject))
	}
	return ctx
}

// tries says where an attempt goes.
func (r *request) tries(ep *endpoint) {
	if r.span != nil {
		r.span.AddEvent("attempt", trace.WithAttributes(tracing.Endpoint.String(ep.addr)))
	}
}

// failed says what an attempt met.
func (r *request) failed(ep *endpoint, attempt int, e *candor.Error) {
	if r.span != nil {
		r.span.AddEvent("attempt failed", trace.WithAttributes(tracing.Endpoint.String(ep.addr), tracing.Attempt.Int(attempt)),
			trace.WithAttributes(tracing.Refusal(e.Reason)...))
	}
}

// ended ends the span: an answer says what it is worth, an error its reason.
func (r *request) ended(err error) {
	if r.span == nil {
		return
	}
	if err == nil && r.endpoint != nil {
		r.span.SetAttributes(tracing.Endpoint.String(r.endpoint.addr))
		r.span.SetAttributes(tracing.Answer(r.out)...)
	}
	tracing.End(r.span, err)
	r.span = nil
}
