package cli

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/telemetry"
	"github.com/candor-plane/candor/server"
)

// traceScope names what the command line itself records.
const traceScope = "github.com/candor-plane/candor/cmd/candor"

// traceGoodbye bounds how long a command waits for its last spans to leave.
const traceGoodbye = time.Second

// commandTrace is the trace of one command; nil where there is none.
type commandTrace struct {
	pipeline *telemetry.Pipeline
	span     trace.Span
	failure  atomic.Pointer[error]
}

func (t *commandTrace) provider() trace.TracerProvider {
	if t == nil {
		return nil
	}
	return t.pipeline.Provider()
}

// beginTrace begins the trace of a command that asks a cluster, where the
// environment wants one: by CANDOR_TRACE_FILE or CANDOR_TRACE_ENDPOINT, with
// CANDOR_TRACE_SAMPLE, or by the variables of OTLP exporters.
func (f *Factory) beginTrace(cmd *cobra.Command) error {
	if !isHonoured(cmd, flagServer) {
		return nil
	}
	t := &commandTrace{}
	config := telemetry.Config{
		File: f.Getenv("CANDOR_TRACE_FILE"), Endpoint: f.Getenv("CANDOR_TRACE_ENDPOINT"), Sample: 1,
		Service: "candor", Version: f.Version, Getenv: f.Getenv,
		Failed: func(err error) { t.failure.CompareAndSwap(nil, &err) },
	}
	if ratio := f.Getenv("CANDOR_TRACE_SAMPLE"); ratio != "" {
		var err error
		if config.Sample, err = telemetry.ParseSample(ratio); err != nil {
			return err
		}
	}
	pipeline, err := telemetry.Start(config)
	if pipeline == nil || err != nil {
		return err
	}
	ctx, span := pipeline.Provider().Tracer(traceScope).Start(cmd.Context(), cmd.CommandPath())
	t.pipeline, t.span = pipeline, span
	f.trace = t
	cmd.SetContext(ctx)
	return nil
}

// endTrace ends the trace with what became of the command.
func (f *Factory) endTrace(err error) {
	t := f.trace
	if t == nil {
		return
	}
	if reason := candor.ReasonOf(err); reason != "" {
		t.span.SetStatus(codes.Error, string(reason))
	}
	t.span.End()
	ctx, cancel := context.WithTimeout(context.Background(), traceGoodbye)
	defer cancel()
	t.pipeline.Close(ctx)
	if failure := t.failure.Load(); failure != nil {
		f.Narrate("the trace was not delivered: %s", *failure)
	}
}

// startTraces starts the pipeline of a server's spans; nil where nobody asks for it.
func (o *ServerOptions) startTraces() (*telemetry.Pipeline, error) {
	o.Trace.Service, o.Trace.Instance, o.Trace.Version, o.Trace.Getenv = "candor-server", o.Config.Name, o.Version, o.Getenv
	o.Trace.Failed = func(err error) { o.Config.Logger.Named("trace").Warn("spans not delivered", "error", err) }
	pipeline, err := telemetry.Start(o.Trace)
	if pipeline == nil || err != nil {
		return nil, err
	}
	o.Config.Tracing = server.Tracing{Provider: pipeline.Provider(), Counts: pipeline.Counts}
	return pipeline, nil
}

func closeTraces(p *telemetry.Pipeline) {
	if p == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), traceGoodbye)
	defer cancel()
	p.Close(ctx)
}
