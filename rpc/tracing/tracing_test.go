package tracing_test

import (
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/metadata"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/rpc/tracing"
)

// TestWithoutASpanNothingIsDoneAndNothingAllocated.
func TestWithoutASpanNothingIsDoneAndNothingAllocated(t *testing.T) {
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("candor-actor", "test"))
	allocated := testing.AllocsPerRun(100, func() {
		below, span := tracing.Step(tracing.Inject(tracing.Extract(ctx)), "step")
		tracing.End(span, nil)
		tracing.Decided(below, "Reject", candor.ReasonNotLeader)
		tracing.Record(below, tracing.Past{Name: "past"})
		if below != ctx {
			t.Error("the context is another")
		}
	})
	if allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
}

// TestATraceGoesAlongInMetadata, with the decision whether it is recorded, and a
// damaged one begins none.
func TestATraceGoesAlongInMetadata(t *testing.T) {
	for _, sampler := range []sdktrace.Sampler{sdktrace.AlwaysSample(), sdktrace.NeverSample()} {
		ctx, span := sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler)).Tracer("test").Start(t.Context(), "here")
		sent, ok := metadata.FromOutgoingContext(tracing.Inject(metadata.AppendToOutgoingContext(ctx, "candor-actor", "test")))
		if !ok || len(sent.Get("candor-actor")) != 1 {
			t.Fatalf("sent %v", sent)
		}
		came := trace.SpanContextFromContext(tracing.Extract(metadata.NewIncomingContext(t.Context(), sent)))
		if !came.IsRemote() || came.TraceID() != span.SpanContext().TraceID() || came.SpanID() != span.SpanContext().SpanID() ||
			came.IsSampled() != span.SpanContext().IsSampled() {
			t.Errorf("%s: sent %v, came %v", sampler.Description(), span.SpanContext(), came)
		}
	}
	damaged := metadata.NewIncomingContext(t.Context(), metadata.Pairs("traceparent", "00-zz-1-01"))
	if came := trace.SpanContextFromContext(tracing.Extract(damaged)); came.IsValid() {
		t.Errorf("a damaged traceparent became %v", came)
	}
}

// TestASpanSaysWhyItFailed, in the protocol's words, whether it is over already
// or not.
func TestASpanSaysWhyItFailed(t *testing.T) {
	kept := tracetest.NewInMemoryExporter()
	ctx, root := sdktrace.NewTracerProvider(sdktrace.WithSyncer(kept)).Tracer("test").Start(t.Context(), "root")
	_, step := tracing.Step(ctx, "step")
	tracing.End(step, candor.Errorf(candor.ReasonNotLeader, "not here"))
	from := time.Unix(7, 0)
	tracing.Record(ctx, tracing.Past{Name: "past", From: from, To: from.Add(time.Second), Reason: candor.ReasonNotLeader})
	spans := kept.GetSpans()
	if len(spans) != 2 {
		t.Fatalf("%d spans", len(spans))
	}
	for _, s := range spans {
		if s.Parent.SpanID() != root.SpanContext().SpanID() || s.Status.Description != "NOT_LEADER" || len(s.Attributes) != 2 ||
			s.Attributes[0].Value.AsString() != "NOT_LEADER" || s.Attributes[1].Value.AsString() != "LEADER" {
			t.Errorf("%s: %+v", s.Name, s)
		}
	}
	if past := spans[1]; !past.StartTime.Equal(from) || past.EndTime.Sub(past.StartTime) != time.Second {
		t.Errorf("past is from %s to %s", past.StartTime, past.EndTime)
	}
}
