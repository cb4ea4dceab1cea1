// Package diag is the debug listener of a server: liveness, readiness,
// Prometheus metrics and pprof over HTTP, on an address of its own so that it
// answers when the API cannot.
//
// It reads and never changes anything. Package server makes it.
package diag

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/candor-plane/candor"
)

// Probe is what the listener asks of its server.
type Probe interface {
	// Ready is nil when the server may take traffic, otherwise why not.
	Ready() error
	// Collect reports the server's metrics.
	Collect(emit func(Metric))
	// Permit is nil when whoever asks may see metrics and profiles.
	Permit(r *http.Request) error
}

// Metric is one sample: of a distribution, else a counter or a gauge. Labels are name,
// value pairs.
type Metric struct {
	Name    string
	Help    string
	Counter bool
	Value   float64
	// Distribution, where it is set, is the sample.
	Distribution *Distribution
	Labels       []string
}

// Listener serves until Close.
type Listener struct {
	listener net.Listener
	server   *http.Server
	done     chan struct{}
}

// Listen binds the address and serves.
// A configuration of TLS makes it answer over TLS alone; nil for none.
func Listen(address string, secure *tls.Config, probe Probe, logger hclog.Logger) (*Listener, error) {
	if probe == nil || logger == nil {
		panic("diag: probe and logger are required")
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, candor.Errorf(candor.ReasonAddressInUse, "--debug: cannot listen on %s: %w", address, err)
	}
	if secure != nil {
		listener = tls.NewListener(listener, secure)
	}
	l := &Listener{
		listener: listener, done: make(chan struct{}),
		server: &http.Server{Handler: handler(probe), ReadHeaderTimeout: 5 * time.Second, ErrorLog: logger.StandardLogger(&hclog.StandardLoggerOptions{})},
	}
	go func() {
		defer close(l.done)
		_ = l.server.Serve(listener)
	}()
	return l, nil
}

// Address is the bound address.
func (l *Listener) Address() string { return l.listener.Addr().String() }

// Close ends the listener and its connections and waits for its goroutine.
func (l *Listener) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if l.server.Shutdown(ctx) != nil {
		_ = l.server.Close()
	}
	<-l.done
}

func handler(probe Probe) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &collector{probe})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := probe.Ready(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintf(w, "not ready: %v\n", err)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	inside := http.NewServeMux()
	inside.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	inside.HandleFunc("/debug/pprof/", pprof.Index)
	inside.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	inside.HandleFunc("/debug/pprof/profile", pprof.Profile)
	inside.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	inside.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if err := probe.Permit(r); err != nil {
			http.Error(w, err.Error(), candor.ReasonOf(err).Disposition().HTTP)
			return
		}
		inside.ServeHTTP(w, r)
	})
	return mux
}

// collector reports whatever the probe emits; it describes nothing ahead.
type collector struct{ probe Probe }

func (c *collector) Describe(chan<- *prometheus.Desc) {}

func (c *collector) Collect(out chan<- prometheus.Metric) {
	c.probe.Collect(func(m Metric) {
		names, values := make([]string, 0, len(m.Labels)/2), make([]string, 0, len(m.Labels)/2)
		for i := 0; i+1 < len(m.Labels); i += 2 {
			names, values = append(names, m.Labels[i]), append(values, m.Labels[i+1])
		}
		desc := prometheus.NewDesc("candor_"+m.Name, m.Help, names, nil)
		if m.Distribution != nil {
			out <- m.Distribution.sample(desc, values)
			return
		}
		kind := prometheus.GaugeValue
		if m.Counter {
			kind = prometheus.CounterValue
		}
		out <- prometheus.MustNewConstMetric(desc, kind, m.Value, values...)
	})
}
