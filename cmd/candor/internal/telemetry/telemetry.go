// Package telemetry records spans and brings them to a file or a collector, for
// the commands that serve and for those that ask.
//
// It guarantees that recording never waits: spans go into a bounded queue, what
// does not fit is dropped and counted, and one goroutine empties the queue. It
// writes OTLP in its JSON form and nothing else. Package cli starts it; without
// an operator's word it is not there at all.
package telemetry

import (
	"context"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/candor-plane/candor"
)

// Config says which spans are recorded and where they go.
type Config struct {
	// File is appended to, Endpoint is HOST:PORT or the URL of a collector that
	// speaks OTLP over HTTP. At most one of them; with neither, the environment's
	// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT counts.
	File, Endpoint string
	// Sample is the share of traces that are recorded of those that begin here. A
	// trace that came along is recorded as its beginner decided. 0 records none,
	// whoever began it.
	Sample float64
	// Service is what records; OTEL_SERVICE_NAME wins over it.
	Service, Instance, Version string
	Getenv                     func(string) string
	// Failed hears why spans could not be delivered: the first time, and again
	// only after a delivery. It is called from the pipeline's goroutine.
	Failed func(error)
}

// Pipeline is where spans go. Its methods may be called concurrently.
type Pipeline struct {
	provider *sdktrace.TracerProvider
	queue    *queue
}

// Start returns nil where nobody asks for traces. The error has reason USAGE, or
// says why the file cannot be written.
func Start(c Config) (*Pipeline, error) {
	if c.Getenv == nil || c.Failed == nil {
		panic("telemetry: Getenv and Failed are required")
	}
	to, err := c.sink()
	if to == nil || err != nil {
		return nil, err
	}
	return c.pipeline(newQueue(to, mostQueued, c.Failed)), nil
}

func (c Config) pipeline(q *queue) *Pipeline {
	return &Pipeline{queue: q, provider: sdktrace.NewTracerProvider(
		sdktrace.WithSpanProcessor(q), sdktrace.WithSampler(sampler(c.Sample)), sdktrace.WithResource(c.resource()),
	)}
}

// Provider makes the tracers whose spans the pipeline takes.
func (p *Pipeline) Provider() trace.TracerProvider { return p.provider }

// Counts are how many spans were delivered, dropped because the queue was full,
// and lost because they could not be delivered.
func (p *Pipeline) Counts() (delivered, dropped, failed uint64) {
	return p.queue.delivered.Load(), p.queue.dropped.Load(), p.queue.failed.Load()
}

// Close delivers what is queued, as far as it gets within ctx, and ends the
// pipeline's goroutine. Spans that end afterwards are dropped.
func (p *Pipeline) Close(ctx context.Context) { p.queue.close(ctx) }

// ParseSample reads a ratio from 0 to 1.
func ParseSample(text string) (float64, error) {
	ratio, err := strconv.ParseFloat(text, 64)
	if err != nil || !(ratio >= 0 && ratio <= 1) {
		return 0, candor.Errorf(candor.ReasonUsage, "sample ratio %q: want a number from 0 to 1, for example 0.01", text)
	}
	return ratio, nil
}

// sink is nil where nobody asks for traces.
func (c Config) sink() (sink, error) {
	if !(c.Sample >= 0 && c.Sample <= 1) {
		return nil, candor.Errorf(candor.ReasonUsage, "sample ratio %v: want a number from 0 to 1, for example 0.01", c.Sample)
	}
	switch {
	case c.File != "" && c.Endpoint != "":
		return nil, candor.Errorf(candor.ReasonUsage, "traces go to a file or to an endpoint, not to both: %s and %s were given", c.File, c.Endpoint)
	case c.File != "":
		return openFile(c.File, mostFile)
	case c.Endpoint != "":
		return collectorAt(c.Endpoint, c.Getenv)
	default:
		return collectorFrom(c.Getenv)
	}
}

func (c Config) resource() *resource.Resource {
	var attributes []attribute.KeyValue
	add := func(key, value string) {
		if value != "" {
			attributes = append(attributes, attribute.String(key, value))
		}
	}
	if c.Getenv("OTEL_SERVICE_NAME") == "" {
		add("service.name", c.Service)
	}
	add("service.instance.id", c.Instance)
	add("service.version", c.Version)
	return resource.NewSchemaless(attributes...)
}

func sampler(ratio float64) sdktrace.Sampler {
	if ratio == 0 {
		return sdktrace.NeverSample()
	}
	return sdktrace.ParentBased(sdktrace.TraceIDRatioBased(ratio))
}

// exportTimeout bounds one delivery.
const exportTimeout = 5 * time.Second

// enabled says whether the environment wants traces at all.
func enabled(getenv func(string) string) bool {
	return !strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") && getenv("OTEL_TRACES_EXPORTER") != "none"
}
