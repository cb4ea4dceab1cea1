package servertest

import (
	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/replica"
)

// Option changes what Start starts.
type Option func(*options)

type options struct {
	servers  int
	settings replica.Settings
	retain   uint64
	logger   hclog.Logger
	tracing  server.Tracing
	// freshness is the server's default when its beacon is 0.
	freshness server.Freshness
	// duties are all of them when nil.
	duties []string
	// data is a folder; empty keeps everything in memory.
	data string
	// changes are by server.
	changes map[string][]func(*server.Config)
}

func defaults() options {
	s := replica.Default()
	s.LogCacheBytes = 1 << 20
	return options{
		servers: 3, settings: s, logger: hclog.NewNullLogger(), freshness: server.DefaultFreshness(),
		changes: map[string][]func(*server.Config){},
	}
}

// Options are several as one.
func Options(all ...Option) Option {
	return func(o *options) {
		for _, one := range all {
			one(o)
		}
	}
}

// WithServers sets how many servers begin the cluster.
func WithServers(n int) Option { return func(o *options) { o.servers = n } }

// WithSettings changes the replicas' settings.
func WithSettings(change func(*replica.Settings)) Option {
	return func(o *options) { change(&o.settings) }
}

// WithDuties sets which duties the servers may hold: none, without names. The
// cluster's log is then written by clients alone.
func WithDuties(names ...string) Option {
	if names == nil {
		names = []string{}
	}
	return func(o *options) { o.duties = names }
}

// WithRetainRevisions sets how many revisions stay readable.
func WithRetainRevisions(n uint64) Option { return func(o *options) { o.retain = n } }

// WithTracing has the servers trace their requests.
func WithTracing(t server.Tracing) Option { return func(o *options) { o.tracing = t } }

// WithLogger has the servers log; they are silent otherwise.
func WithLogger(l hclog.Logger) Option { return func(o *options) { o.logger = l } }

// WithFreshness changes when the servers call themselves behind, and what they
// do about it.
func WithFreshness(change func(*server.Freshness)) Option {
	return func(o *options) { change(&o.freshness) }
}

// WithData keeps the servers' data in a folder, so that they can be started
// again. The folder outlives the cluster.
func WithData(folder string) Option {
	return func(o *options) {
		o.data = folder
		o.settings.DiskWatermarkBytes = 1
	}
}

// WithServer changes the configuration of one server, by name, each time that it
// is started: its seams are where faults are put in.
func WithServer(name string, change func(*server.Config)) Option {
	return func(o *options) { o.changes[name] = append(o.changes[name], change) }
}
