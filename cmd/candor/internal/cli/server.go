package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"sigs.k8s.io/yaml"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/heap"
	"github.com/candor-plane/candor/cmd/candor/internal/telemetry"
	"github.com/candor-plane/candor/server"
)

// ServerOptions are those of `candor server`.
type ServerOptions struct {
	*Factory
	Config         server.Config
	Trace          telemetry.Config
	InitialCluster string
	LogLevel       string
	LogJSON        bool
}

// NewCmdServer returns `candor server`.
func NewCmdServer(f *Factory, run func(context.Context, *ServerOptions) error) *cobra.Command {
	o := &ServerOptions{Factory: f}
	o.Config.Settings = server.DefaultSettings()
	var file string
	cmd := &cobra.Command{
		Use: "server", Short: "Run one server of a cluster",
		Long: `Run one server of a cluster, until SIGINT or SIGTERM.

Every flag can also be set by an environment variable (--initial-cluster is
CANDOR_INITIAL_CLUSTER) or in a YAML file (--config; keys are the flags'
names). A flag wins over the environment, and that over the file.

A server without data must be told how to begin, in one of three ways:
--initial-cluster, the same list on every server; --bootstrap, on one server
alone; or --join, with the API addresses of a cluster that runs. That takes
it in by its certificate, or by a token (--join-token-file) where servers have
none and access control is on. With data it goes on as what it is, at the same
Raft address; told of another cluster it refuses.`,
		Example: `candor server --name n1 --data /var/lib/candor --bootstrap
candor server --name n4 --data /var/lib/candor --join 127.0.0.1:7101
candor server --config /etc/candor/server.yaml`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.complete(cmd.LocalNonPersistentFlags(), file); err != nil {
				return err
			}
			return runs(run, runServer)(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&file, "config", "", "YAML file with settings")
	o.register(flags)
	return cmd
}

func (o *ServerOptions) register(flags *pflag.FlagSet) {
	c, s := &o.Config, &o.Config.Settings
	flags.StringVar(&c.Name, "name", "", "name of this server, unique in its cluster")
	flags.StringVar(&c.Data, "data", "", "data directory")
	flags.StringVar(&c.LogStore, "log-store", "wal", "log store of a new data directory: wal or boltdb")
	flags.StringVar(&c.API, "api", "127.0.0.1:7101", "address for clients and servers")
	flags.StringVar(&c.Raft, "raft", "127.0.0.1:7201", "address for Raft")
	flags.StringVar(&c.Gossip, "gossip", "127.0.0.1:7301", "address for gossip; empty for none")
	flags.StringSliceVar(&c.GossipSeeds, "gossip-seeds", nil, "gossip addresses of other servers; without them nobody's liveness is known")
	flags.StringVar(&c.Debug, "debug", "127.0.0.1:7401", "address for /livez, /readyz, /metrics and pprof; empty for none")
	flags.StringVar(&o.InitialCluster, "initial-cluster", "", "the servers of a new cluster: NAME=API/RAFT,…")
	flags.StringVar(&c.ClusterToken, "cluster-token", "", "tells clusters with equal lists apart")
	flags.BoolVar(&c.Bootstrap, "bootstrap", false, "begin a new cluster with this server alone")
	flags.StringSliceVar(&c.Join, "join", nil, "API addresses of servers of the cluster to join")
	flags.StringVar(&c.JoinTokenFile, "join-token-file", "", "a token that lets this server join (candor auth token create --join); certificates need none")
	flags.StringVar(&c.TLS.CA, "tls-ca", "", "the cluster's authorities (PEM); with --tls-cert and --tls-key every listener speaks TLS 1.3")
	flags.StringVar(&c.TLS.Cert, "tls-cert", "", "this server's certificate (PEM); candor tls issue server makes one")
	flags.StringVar(&c.TLS.Key, "tls-key", "", "its private key (PEM)")
	flags.BoolVar(&c.Auth, "auth", false, "serve nobody before access control is opened (candor auth bootstrap)")
	flags.StringVar(&c.Audit.Level, "audit", "writes", "what is recorded in DATA/audit: none, denials, writes (and denials and administration) or all")
	flags.BoolVar(&c.Audit.Required, "audit-required", false, "refuse requests that cannot be recorded")
	flags.StringSliceVar(&c.Duties, "duties", server.DutyNames(), "duties that this server may hold, or none")
	c.Tenures = server.DefaultTenures()
	flags.DurationVar(&c.Tenures.Duration, "tenure-duration", c.Tenures.Duration, "how long a duty stays this server's that it does not renew")
	flags.DurationVar(&c.Tenures.Renew, "tenure-renew", c.Tenures.Renew, "how often it renews its duties; at most half of --tenure-duration")
	flags.StringVar(&c.GossipKeyFile, "gossip-key-file", "", "keys that gossip is encrypted with, base64, one to a line")
	flags.StringVar(&c.GossipEncryption, "gossip-encryption", "required", "required, or on the way from and to gossip in the clear offered or accepted")
	flags.StringToStringVar(&c.Limits, "limit", nil, "`NAME=VALUE,…`: what one party may have of this server, such as write-rate=200; candor help limits names them")
	flags.BoolVar(&c.Insecure, "insecure", false, "allow addresses beyond loopback without TLS and --auth")
	flags.Uint64Var(&c.RetainRevisions, "retain-revisions", 0, "how many revisions stay readable (default 250000)")
	flags.Uint64Var(&s.QuotaBytes, "quota-bytes", 8<<30, "refuse writes when the state is larger; 0 for no limit")
	flags.DurationVar(&s.Heartbeat, "heartbeat", s.Heartbeat, "how long a follower waits for its leader")
	flags.DurationVar(&s.Election, "election", s.Election, "how long a candidate waits for votes")
	flags.DurationVar(&s.LeaderLease, "leader-lease", s.LeaderLease, "how long a leader goes on without a majority")
	flags.Int64Var(&s.SnapshotBytes, "snapshot-bytes", s.SnapshotBytes, "take a snapshot after so many bytes of log")
	flags.Int64Var(&s.TrailingBytes, "trailing-bytes", s.TrailingBytes, "keep so many bytes of log behind a snapshot, for servers that lag")
	flags.Uint64Var(&s.TrailingEntries, "trailing-entries", s.TrailingEntries, "or so many entries, if these are more and no larger than four times the bytes")
	flags.DurationVar(&s.WatchdogAfter, "watchdog", s.WatchdogAfter, "exit when a log write hangs for so long")
	flags.Uint64Var(&s.DiskWatermarkBytes, "disk-watermark", s.DiskWatermarkBytes, "refuse writes when the disk has less free")
	flags.StringVar(&o.Trace.Endpoint, "trace-endpoint", "", "send traces to a collector, HOST:PORT of OTLP over HTTP (or OTEL_EXPORTER_OTLP_ENDPOINT)")
	flags.StringVar(&o.Trace.File, "trace-file", "", "append traces to this file as JSON lines; at 64 MiB it is renamed to FILE.1")
	flags.Float64Var(&o.Trace.Sample, "trace-sample", 1, "which share of the traces that begin here is recorded, 0 to 1; 0 records none at all")
	f := &c.Freshness
	*f = server.DefaultFreshness()
	flags.DurationVar(&f.Beacon, "beacon", f.Beacon, "how often to have the age of the view proven")
	flags.Uint64Var(&f.Policy.FreshLag, "fresh-lag", f.Policy.FreshLag, "a view that misses more log entries is LAGGING")
	flags.DurationVar(&f.Policy.FreshAge, "fresh-age", f.Policy.FreshAge, "a view whose newest proof is older is LAGGING")
	flags.DurationVar(&f.Policy.Window, "fresh-window", f.Policy.Window, "without a proof for so long the root is unavailable")
	flags.BoolVar(&f.ManualRepair, "manual-repair", false, "leave a quarantined view as it is until candor node repair")
	flags.DurationVar(&f.RepairInterval, "repair-interval", f.RepairInterval, "how soon a repair that failed is tried again")
	flags.StringVar(&o.LogLevel, "log-level", "info", "trace, debug, info, warn or error")
	flags.BoolVar(&o.LogJSON, "log-json", false, "log as JSON lines")
}

// complete takes what the flags leave open from environment and file.
func (o *ServerOptions) complete(flags *pflag.FlagSet, file string) error {
	if file == "" {
		file = o.Getenv("CANDOR_CONFIG")
	}
	settings := map[string]string{}
	if file != "" {
		var err error
		if settings, err = readSettings(file, flags); err != nil {
			return err
		}
	}
	var wrong error
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "config" || f.Name == "help" || wrong != nil {
			return
		}
		variable := "CANDOR_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, source := o.Getenv(variable), variable
		if value == "" {
			value, source = settings[f.Name], file
		}
		if value == "" {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			wrong = usage("%s: %s: %s", source, f.Name, err)
		}
	})
	if wrong != nil {
		return wrong
	}
	if slices.Equal(o.Config.Duties, []string{"none"}) {
		o.Config.Duties = []string{}
	}
	members, err := parseInitialCluster(o.InitialCluster)
	o.Config.InitialCluster = members
	if err == nil && o.Config.Data == "" {
		err = usage("a data directory is required: --data DIR")
	}
	return err
}

// readSettings reads a YAML file whose keys are the names of flags.
func readSettings(path string, flags *pflag.FlagSet) (map[string]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, usage("--config: %s", err)
	}
	var raw map[string]any
	if err := yaml.UnmarshalStrict(data, &raw); err != nil {
		return nil, usage("%s: %s", path, err)
	}
	out := map[string]string{}
	for key, value := range raw {
		if flags.Lookup(key) == nil || key == "config" {
			return nil, usage("%s: unknown setting %q; settings are named as the flags of `candor server` are", path, key)
		}
		switch v := value.(type) {
		case map[string]any:
			parts := make([]string, 0, len(v))
			for name, part := range v {
				parts = append(parts, name+"="+fmt.Sprint(part))
			}
			out[key] = strings.Join(parts, ",")
		case []any:
			parts := make([]string, 0, len(v))
			for _, part := range v {
				parts = append(parts, fmt.Sprint(part))
			}
			out[key] = strings.Join(parts, ",")
		default:
			out[key] = fmt.Sprint(v)
		}
	}
	return out, nil
}

// parseInitialCluster reads NAME=API/RAFT,….
func parseInitialCluster(text string) ([]server.InitialMember, error) {
	if text == "" {
		return nil, nil
	}
	var out []server.InitialMember
	seen := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		name, addresses, ok := strings.Cut(strings.TrimSpace(part), "=")
		api, raft, both := strings.Cut(addresses, "/")
		if !ok || !both || name == "" || api == "" || raft == "" {
			return nil, usage("--initial-cluster: %q: want NAME=API_HOST:PORT/RAFT_HOST:PORT", part)
		}
		if seen[name] {
			return nil, usage("--initial-cluster: server %q is listed twice", name)
		}
		seen[name] = true
		out = append(out, server.InitialMember{Name: name, APIAddress: api, RaftAddress: raft})
	}
	return out, nil
}

func runServer(ctx context.Context, o *ServerOptions) error {
	level := hclog.LevelFromString(o.LogLevel)
	if level == hclog.NoLevel {
		return usage("--log-level %q: want trace, debug, info, warn or error", o.LogLevel)
	}
	fatal := make(chan error, 1)
	o.Config.Logger = hclog.New(&hclog.LoggerOptions{Name: "candor", Level: level, JSONFormat: o.LogJSON, Output: o.Err})
	o.Config.Version = o.Version
	o.Config.Seams.OnFatal = func(err error) {
		select {
		case fatal <- err:
		default:
		}
	}
	if o.Getenv("GOGC") == "" {
		heap.Pace()
	}
	traces, err := o.startTraces()
	if err != nil {
		return err
	}
	defer closeTraces(traces)
	s, err := server.Start(ctx, o.Config)
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return closeServer(s)
	case err := <-fatal:
		return o.notJoined(err)
	}
}

// notJoined says what lets a server join that the cluster did not take in.
func (o *ServerOptions) notJoined(err error) error {
	reason := candor.ReasonOf(err)
	if len(o.Config.Join) == 0 || reason != candor.ReasonUnauthenticated && reason != candor.ReasonForbidden {
		return err
	}
	return try(err, "candor auth token create --join --out FILE      on a machine that has a token", "the same command with --join-token-file FILE")
}

// closeServer ends a server and bounds the wait.
func closeServer(s *server.Server) error {
	done := make(chan error, 1)
	go func() { done <- s.Close() }()
	timer := time.NewTimer(30 * time.Second)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return candor.Errorf(candor.ReasonTimedOut, "server: it did not stop within 30 s")
	}
}
