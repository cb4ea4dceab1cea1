package telemetry

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/candor-plane/candor"
)

func quiet(t *testing.T) func(error) {
	return func(err error) { t.Errorf("told of %v", err) }
}

// parts is what a test reads back of a message.
type parts struct {
	ResourceSpans []struct {
		Resource struct {
			Attributes []keyValue `json:"attributes"`
		} `json:"resource"`
		ScopeSpans []struct {
			Scope struct {
				Name string `json:"name"`
			} `json:"scope"`
			Spans []map[string]json.RawMessage `json:"spans"`
		} `json:"scopeSpans"`
	} `json:"resourceSpans"`
}

// TestATraceFileHasALineForEverySpan, each a whole OTLP message.
func TestATraceFileHasALineForEverySpan(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace.jsonl")
	p, err := Start(Config{File: path, Sample: 1, Service: "candor-server", Instance: "n1", Version: "v0", Getenv: none, Failed: quiet(t)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, parent := p.Provider().Tracer("scope").Start(t.Context(), "parent", trace.WithSpanKind(trace.SpanKindServer))
	_, child := p.Provider().Tracer("scope").Start(ctx, "child", trace.WithAttributes(
		attribute.String("word", "NOT_LEADER"), attribute.Int64("index", 1<<60), attribute.Bool("changed", false), attribute.Float64("ms", 1.5)))
	child.End()
	parent.End()
	p.Close(t.Context())

	lines := read(t, path)
	if len(lines) != 2 {
		t.Fatalf("%d lines", len(lines))
	}
	var message parts
	if err := json.Unmarshal([]byte(lines[0]), &message); err != nil {
		t.Fatal(err)
	}
	scope := message.ResourceSpans[0].ScopeSpans[0]
	span := scope.Spans[0]
	want := map[string]string{
		"name": `"child"`, "kind": "1", "traceId": `"` + child.SpanContext().TraceID().String() + `"`, "spanId": `"` + child.SpanContext().SpanID().String() + `"`,
		"parentSpanId": `"` + parent.SpanContext().SpanID().String() + `"`,
		"attributes": `[{"key":"word","value":{"stringValue":"NOT_LEADER"}},{"key":"index","value":{"intValue":"1152921504606846976"}},` +
			`{"key":"changed","value":{"boolValue":false}},{"key":"ms","value":{"doubleValue":1.5}}]`,
	}
	for field, value := range want {
		if got := string(span[field]); got != value {
			t.Errorf("%s is %s, want %s", field, got, value)
		}
	}
	if scope.Scope.Name != "scope" || !strings.Contains(lines[1], `"kind":2`) || strings.Contains(lines[1], "parentSpanId") {
		t.Errorf("the parent's line: %s", lines[1])
	}
	for _, fact := range []string{`"candor-server"`, `"n1"`, `"v0"`} {
		if !strings.Contains(lines[0], fact) {
			t.Errorf("the resource lacks %s: %s", fact, lines[0])
		}
	}
}

// TestATraceFileIsBounded, and two writers of one path do not lose each other.
func TestATraceFileIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace.jsonl")
	const most = 4096
	var pipelines []*Pipeline
	for range 2 {
		f, err := openFile(path, most)
		if err != nil {
			t.Fatal(err)
		}
		pipelines = append(pipelines, Config{Sample: 1, Getenv: none}.pipeline(newQueue(f, mostQueued, quiet(t))))
	}
	const spans = 100
	for range spans {
		for _, p := range pipelines {
			_, span := p.Provider().Tracer("test").Start(t.Context(), "span")
			span.End()
		}
	}
	for _, p := range pipelines {
		p.Close(t.Context())
		if delivered, dropped, failed := p.Counts(); delivered != spans || dropped+failed != 0 {
			t.Errorf("delivered %d, dropped %d, failed %d", delivered, dropped, failed)
		}
	}
	old, now := read(t, path+".1"), read(t, path)
	if len(old) == 0 || len(now) == 0 {
		t.Errorf("%d lines before, %d now", len(old), len(now))
	}
}

// TestACollectorIsPostedTo, at the path of traces and with the headers that the
// environment names.
func TestACollectorIsPostedTo(t *testing.T) {
	var mu sync.Mutex
	var got []string
	status := http.StatusOK
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(in.Body)
		got = append(got, in.Method+" "+in.URL.Path+" "+in.Header.Get("Content-Type")+" "+in.Header.Get("X-Tenant")+" "+string(body))
		w.WriteHeader(status)
	}))
	defer s.Close()
	environment := map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=a%20b"}
	getenv := func(name string) string { return environment[name] }
	run := func(c Config) (p *Pipeline, told error) {
		c.Sample, c.Getenv, c.Failed = 1, getenv, func(err error) { told = err }
		p, err := Start(c)
		if err != nil {
			t.Fatal(err)
		}
		_, span := p.Provider().Tracer("test").Start(t.Context(), "posted")
		span.End()
		p.Close(t.Context())
		return p, told
	}
	if _, told := run(Config{Endpoint: strings.TrimPrefix(s.URL, "http://")}); told != nil {
		t.Error(told)
	}
	environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = s.URL + "/"
	if _, told := run(Config{}); told != nil {
		t.Error(told)
	}
	status = http.StatusServiceUnavailable
	p, told := run(Config{})
	if _, _, failed := p.Counts(); candor.ReasonOf(told) != candor.ReasonUnavailable || failed != 1 {
		t.Errorf("told of %v, %d failed", told, failed)
	}
	if len(got) != 3 {
		t.Fatalf("%d posts", len(got))
	}
	for _, post := range got {
		if !strings.HasPrefix(post, "POST /v1/traces application/json a b {") || !strings.Contains(post, `"posted"`) {
			t.Errorf("posted %s", post)
		}
	}
}

// TestNobodyAsksForTraces: then there is no pipeline.
func TestNobodyAsksForTraces(t *testing.T) {
	for _, environment := range []map[string]string{
		{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://here:4318", "OTEL_SDK_DISABLED": "true"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://here:4318", "OTEL_TRACES_EXPORTER": "none"},
	} {
		p, err := Start(Config{Sample: 1, Getenv: func(name string) string { return environment[name] }, Failed: quiet(t)})
		if p != nil || err != nil {
			t.Errorf("%v: %v, %v", environment, p, err)
		}
	}
}

// TestWhatCannotWorkIsRefused.
func TestWhatCannotWorkIsRefused(t *testing.T) {
	for name, c := range map[string]Config{
		"both":       {File: "a", Endpoint: "b:1", Sample: 1},
		"no address": {Endpoint: "ftp://x", Sample: 1},
		"no folder":  {File: filepath.Join(t.TempDir(), "missing", "trace"), Sample: 1},
		"ratio":      {File: "a", Sample: 1.5},
	} {
		c.Getenv, c.Failed = none, quiet(t)
		if _, err := Start(c); candor.ReasonOf(err) != candor.ReasonUsage {
			t.Errorf("%s: %v", name, err)
		}
	}
	grpc := Config{Sample: 1, Failed: quiet(t), Getenv: func(name string) string {
		return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://here:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}[name]
	}}
	if _, err := Start(grpc); candor.ReasonOf(err) != candor.ReasonUsage {
		t.Errorf("gRPC: %v", err)
	}
}

// TestNoRatioMeansNoTrace, whoever began it; otherwise its beginner decides.
func TestNoRatioMeansNoTrace(t *testing.T) {
	remote := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled, Remote: true})
	for ratio, recorded := range map[float64]bool{0: false, 1e-9: true} {
		kept := &keeping{}
		p := Config{Sample: ratio, Getenv: none}.pipeline(newQueue(kept, mostQueued, quiet(t)))
		_, span := p.Provider().Tracer("test").Start(trace.ContextWithRemoteSpanContext(t.Context(), remote), "span")
		span.End()
		p.Close(t.Context())
		if (kept.spans == 1) != recorded {
			t.Errorf("ratio %v: %d spans", ratio, kept.spans)
		}
	}
}

func read(t *testing.T, path string) (lines []string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for s := bufio.NewScanner(f); s.Scan(); {
		if !json.Valid(s.Bytes()) {
			t.Errorf("a line that is no JSON: %s", s.Text())
		}
		lines = append(lines, s.Text())
	}
	return lines
}
