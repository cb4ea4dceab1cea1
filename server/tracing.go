package server

import (
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"

	"github.com/candor-plane/candor/rpc/tracing"
	"github.com/candor-plane/candor/server/grpcapi"
)

// Tracing says where the spans of the requests that a server serves go. The
// owner of the provider ends it after the server.
type Tracing struct {
	// Provider makes the tracers. It must not block. Nil traces nothing, at no cost.
	Provider trace.TracerProvider
	// Counts tell the metrics how many spans were delivered, dropped for want of
	// room and lost on their way; nil where nobody counts.
	Counts func() (delivered, dropped, failed uint64)
}

// tracing is empty where nothing is traced.
func (s *Server) tracing() []grpc.ServerOption {
	provider := s.config.Tracing.Provider
	if provider == nil {
		return nil
	}
	return grpcapi.Tracing(provider, tracing.NodeID.String(s.serverID), tracing.NodeName.String(s.config.Name))
}

// way is what calls pass that come over streams.
func (s *Server) way(door grpcapi.Way) []grpcapi.Way {
	provider := s.config.Tracing.Provider
	if provider == nil {
		return []grpcapi.Way{door}
	}
	return []grpcapi.Way{
		grpcapi.Traced(provider, tracing.NodeID.String(s.serverID), tracing.NodeName.String(s.config.Name)), door,
	}
}

func (t *Tracing) collect(counter func(name, help string, value float64, labels ...string)) {
	if t.Counts == nil {
		return
	}
	delivered, dropped, failed := t.Counts()
	for _, c := range []struct {
		outcome string
		spans   uint64
	}{{"delivered", delivered}, {"dropped", dropped}, {"failed", failed}} {
		counter("trace_spans_total", "Spans by what became of them.", float64(c.spans), "outcome", c.outcome)
	}
}
