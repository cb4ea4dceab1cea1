package tracing

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/metadata"
)

// The metadata keys are those of the W3C Trace Context: traceparent and
// tracestate. Baggage is neither read nor sent.
var w3c propagation.TraceContext

// Inject adds the span of ctx to what is sent with ctx.
func Inject(ctx context.Context) context.Context {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ctx
	}
	sent := sending{}
	w3c.Inject(ctx, &sent)
	return metadata.AppendToOutgoingContext(ctx, sent.pairs...)
}

// Extract makes the span that a request came with, if any, the parent of those
// that are begun with ctx. What does not parse is no parent.
func Extract(ctx context.Context) context.Context {
	if len(metadata.ValueFromIncomingContext(ctx, "traceparent")) == 0 {
		return ctx
	}
	return w3c.Extract(ctx, coming{ctx})
}

// sending collects what goes out.
type sending struct{ pairs []string }

func (s *sending) Get(string) string     { return "" }
func (s *sending) Keys() []string        { return nil }
func (s *sending) Set(key, value string) { s.pairs = append(s.pairs, key, value) }

// coming reads what came in.
type coming struct{ ctx context.Context } //nolint:containedctx // it is looked into and not kept

func (c coming) Set(string, string) {}
func (c coming) Keys() []string     { return nil }

func (c coming) Get(key string) string {
	if values := metadata.ValueFromIncomingContext(c.ctx, key); len(values) > 0 {
		return values[0]
	}
	return ""
}
