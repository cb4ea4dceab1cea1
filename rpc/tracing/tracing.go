// Package tracing is how a trace goes along with a request: through metadata,
// as spans, and in the protocol's words as their attributes.
//
// It guarantees that a request without a recorded span costs nothing here: no
// span, no allocation, no metadata. It makes no spans of its own accord, keeps
// nothing and knows no exporter, and no attribute holds what an object contains.
// The client and the server's packages call it, concurrently.
package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/candor-plane/candor"
)

// Scope names the instrumentation of Candor's own packages.
const Scope = "github.com/candor-plane/candor"

// none records nothing.
var none = trace.SpanFromContext(context.Background())

// Step begins a span below that of ctx, where that one is recorded; otherwise
// it returns ctx and a span that does nothing. The caller ends it with End.
func Step(ctx context.Context, name string) (context.Context, trace.Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, none
	}
	return tracerOf(parent).Start(ctx, name)
}

// End ends a span that Step began, with the reason of err.
func End(span trace.Span, err error) {
	if !span.IsRecording() {
		return
	}
	fail(span, candor.ReasonOf(err))
	span.End()
}

// Decided notes, as an event of the span of ctx, what the rules of a read want
// done next, or why they refuse it.
func Decided(ctx context.Context, do string, reason candor.Reason) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	span.AddEvent("decide", trace.WithAttributes(Decision.String(do)), trace.WithAttributes(Refusal(reason)...))
}

// Past is something that is over already.
type Past struct {
	Name     string
	From, To time.Time
	// Reason is why it failed; empty when it did not.
	Reason     candor.Reason
	Attributes []attribute.KeyValue
}

// Record adds p below the span of ctx, where that one is recorded.
func Record(ctx context.Context, p Past) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return
	}
	_, span := tracerOf(parent).Start(ctx, p.Name, trace.WithTimestamp(p.From), trace.WithAttributes(p.Attributes...))
	fail(span, p.Reason)
	span.End(trace.WithTimestamp(p.To))
}

func tracerOf(span trace.Span) trace.Tracer { return span.TracerProvider().Tracer(Scope) }

func fail(span trace.Span, reason candor.Reason) {
	if reason == "" {
		return
	}
	span.SetAttributes(Refusal(reason)...)
	span.SetStatus(codes.Error, string(reason))
}
