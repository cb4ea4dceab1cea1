package telemetry

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/candor-plane/candor"
)

// collector posts spans as OTLP over HTTP, in JSON. It does not try again: what
// a collector does not take is counted and gone.
type collector struct {
	url     string
	headers http.Header
	client  *http.Client
}

// pathOfTraces is added to an endpoint that is for every signal.
const pathOfTraces = "/v1/traces"

// collectorAt is for HOST:PORT or a base URL.
func collectorAt(endpoint string, getenv func(string) string) (sink, error) {
	base := endpoint
	if !strings.Contains(base, "://") {
		base = "http://" + base
	}
	return newCollector("trace endpoint", endpoint, strings.TrimSuffix(base, "/")+pathOfTraces, getenv)
}

// collectorFrom is the one that the environment names, in the way of OTLP
// exporters; nil when it names none.
func collectorFrom(getenv func(string) string) (sink, error) {
	own, every := getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), getenv("OTEL_EXPORTER_OTLP_ENDPOINT")
	if own == "" && every == "" || !enabled(getenv) {
		return nil, nil
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		if protocol := getenv(name); protocol == "grpc" {
			return nil, candor.Errorf(candor.ReasonUsage, "%s is %q: traces are sent over HTTP only; name the collector's HTTP port and set http/json", name, protocol)
		}
	}
	if own != "" {
		return newCollector("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", own, own, getenv)
	}
	return newCollector("OTEL_EXPORTER_OTLP_ENDPOINT", every, strings.TrimSuffix(every, "/")+pathOfTraces, getenv)
}

func newCollector(name, given, target string, getenv func(string) string) (sink, error) {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, candor.Errorf(candor.ReasonUsage, "%s %q: want HOST:PORT or http://HOST:PORT, the collector's port for OTLP over HTTP (4318)", name, given)
	}
	headers := http.Header{}
	for pair := range strings.SplitSeq(getenv("OTEL_EXPORTER_OTLP_HEADERS"), ",") {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			continue
		}
		if plain, err := url.PathUnescape(strings.TrimSpace(value)); err == nil {
			headers.Set(strings.TrimSpace(key), plain)
		}
	}
	headers.Set("Content-Type", "application/json")
	return &collector{url: target, headers: headers, client: &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxIdleConns: 1,
	}}}, nil
}

// Deliver posts the spans in one request.
func (c *collector) Deliver(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	body, err := encode(spans)
	if err != nil {
		return candor.Wrap("encode spans", err)
	}
	in, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return candor.Wrap("post spans", err)
	}
	in.Header = c.headers.Clone()
	out, err := c.client.Do(in)
	if err != nil {
		return candor.Errorf(candor.ReasonUnavailable, "post spans: %w", err)
	}
	defer func() { _ = out.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(out.Body, 4096))
	if err != nil {
		return candor.Errorf(candor.ReasonUnavailable, "post spans to %s: %w", c.url, err)
	}
	if out.StatusCode/100 != 2 {
		return candor.Errorf(candor.ReasonUnavailable, "post spans to %s: %s: %s", c.url, out.Status, strings.TrimSpace(string(answer)))
	}
	return nil
}

// Close closes idle connections.
func (c *collector) Close() error {
	c.client.CloseIdleConnections()
	return nil
}
