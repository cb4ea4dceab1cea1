package telemetry

import (
	"encoding/json"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// The JSON form of OTLP's ExportTraceServiceRequest, as opentelemetry-proto and
// the OTLP specification have it: identifiers in hexadecimal, 64-bit integers as
// strings, enums as numbers.
type (
	request struct {
		ResourceSpans []resourceSpans `json:"resourceSpans"`
	}
	resourceSpans struct {
		Resource   resourceOf   `json:"resource"`
		ScopeSpans []scopeSpans `json:"scopeSpans"`
	}
	resourceOf struct {
		Attributes []keyValue `json:"attributes,omitempty"`
	}
	scopeSpans struct {
		Scope scopeOf  `json:"scope"`
		Spans []spanOf `json:"spans"`
	}
	scopeOf struct {
		Name    string `json:"name"`
		Version string `json:"version,omitempty"`
	}
	spanOf struct {
		TraceID      string     `json:"traceId"`
		SpanID       string     `json:"spanId"`
		ParentSpanID string     `json:"parentSpanId,omitempty"`
		TraceState   string     `json:"traceState,omitempty"`
		Flags        uint32     `json:"flags,omitempty"`
		Name         string     `json:"name"`
		Kind         int        `json:"kind"`
		Start        string     `json:"startTimeUnixNano"`
		End          string     `json:"endTimeUnixNano"`
		Attributes   []keyValue `json:"attributes,omitempty"`
		Events       []eventOf  `json:"events,omitempty"`
		Status       *statusOf  `json:"status,omitempty"`
	}
	eventOf struct {
		Time       string     `json:"timeUnixNano"`
		Name       string     `json:"name"`
		Attributes []keyValue `json:"attributes,omitempty"`
	}
	statusOf struct {
		Message string `json:"message,omitempty"`
		Code    int    `json:"code"`
	}
	keyValue struct {
		Key   string `json:"key"`
		Value value  `json:"value"`
	}
	value struct {
		String *string  `json:"stringValue,omitempty"`
		Bool   *bool    `json:"boolValue,omitempty"`
		Int    string   `json:"intValue,omitempty"`
		Double *float64 `json:"doubleValue,omitempty"`
	}
)

// encode is one message of the spans, which are of one process.
func encode(spans []sdktrace.ReadOnlySpan) ([]byte, error) {
	of := resourceSpans{Resource: resourceOf{Attributes: keyValues(spans[0].Resource().Attributes())}}
	for _, s := range spans {
		scope := scopeOf{Name: s.InstrumentationScope().Name, Version: s.InstrumentationScope().Version}
		last := len(of.ScopeSpans) - 1
		if last < 0 || of.ScopeSpans[last].Scope != scope {
			of.ScopeSpans = append(of.ScopeSpans, scopeSpans{Scope: scope})
			last++
		}
		of.ScopeSpans[last].Spans = append(of.ScopeSpans[last].Spans, convert(s))
	}
	return json.Marshal(request{ResourceSpans: []resourceSpans{of}})
}

func convert(s sdktrace.ReadOnlySpan) spanOf {
	out := spanOf{
		TraceID: s.SpanContext().TraceID().String(), SpanID: s.SpanContext().SpanID().String(),
		TraceState: s.SpanContext().TraceState().String(), Flags: uint32(s.SpanContext().TraceFlags()),
		Name: s.Name(), Kind: kind(s.SpanKind()), Start: nanoseconds(s.StartTime()), End: nanoseconds(s.EndTime()),
		Attributes: keyValues(s.Attributes()),
	}
	if s.Parent().SpanID().IsValid() {
		out.ParentSpanID = s.Parent().SpanID().String()
	}
	for _, e := range s.Events() {
		out.Events = append(out.Events, eventOf{Time: nanoseconds(e.Time), Name: e.Name, Attributes: keyValues(e.Attributes)})
	}
	switch st := s.Status(); st.Code {
	case codes.Ok:
		out.Status = &statusOf{Code: 1}
	case codes.Error:
		out.Status = &statusOf{Code: 2, Message: st.Description}
	default:
	}
	return out
}

// kind is the number of SPAN_KIND_…; what has none is internal.
func kind(k trace.SpanKind) int {
	switch k {
	case trace.SpanKindServer:
		return 2
	case trace.SpanKindClient:
		return 3
	case trace.SpanKindProducer:
		return 4
	case trace.SpanKindConsumer:
		return 5
	default:
		return 1
	}
}

func keyValues(attributes []attribute.KeyValue) []keyValue {
	out := make([]keyValue, 0, len(attributes))
	for _, a := range attributes {
		out = append(out, keyValue{Key: string(a.Key), Value: valueOf(a.Value)})
	}
	return out
}

// valueOf writes what has no form of its own here, such as a list, as text.
func valueOf(v attribute.Value) value {
	switch v.Type() {
	case attribute.BOOL:
		b := v.AsBool()
		return value{Bool: &b}
	case attribute.INT64:
		return value{Int: strconv.FormatInt(v.AsInt64(), 10)}
	case attribute.FLOAT64:
		f := v.AsFloat64()
		return value{Double: &f}
	default:
		text := v.String()
		return value{String: &text}
	}
}

func nanoseconds(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }
