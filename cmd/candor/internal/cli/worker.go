package cli

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/worker"
	"github.com/candor-plane/candor/worker/fleet"
	"github.com/candor-plane/candor/worker/shim"
)

// WorkerOptions are those of `candor worker`.
type WorkerOptions struct {
	*Factory
	Config worker.Config
	// Fleet is what --simulate runs in the worker's place.
	Fleet fleet.Config

	Connections int
	LogLevel    string
	LogJSON     bool
}

// workerFlags are those that are read once the flags are known.
type workerFlags struct {
	cpu, memory string
	resources   map[string]string
	reserve     map[string]string
	taints      []string
	simulate    int
}

// NewCmdWorker returns `candor worker`.
func NewCmdWorker(f *Factory, run func(context.Context, *WorkerOptions) error) *cobra.Command {
	o := &WorkerOptions{Factory: f}
	var given workerFlags
	cmd := &cobra.Command{
		Use: "worker", Short: "Run the instances that are placed on this machine",
		Long: `Run the instances that are placed on this machine, until SIGINT or SIGTERM.

The worker registers a node of its name, says that it lives by heartbeats, and
runs the command of every instance that is placed on the node, each under a
small process of its own (a shim). What runs goes on when the worker ends, by
SIGTERM or otherwise, and is found by the next one on the same data directory:
an upgrade ends no instance. To empty the machine, drain its node first
("candor node drain NAME").

What is done about a process that fails, or a probe that does, the failure
policies of workloads.candor say. While another worker of the same name lives
on another data directory, this one waits, and runs nothing.

Each instance has a folder DATA/instances/UID with its logs (stdout.log and
stderr.log, 4 files of 8 MiB each) and its state, which stays for an hour after
its end. A command gets PATH, HOME, USER, LANG, TZ and TMPDIR of the worker,
what its instance says, and who it is: CANDOR_INSTANCE, CANDOR_NAMESPACE and
CANDOR_INSTANCE_UID.

Labels and taints count when the node is made; afterwards they are its
operators'. The capacity is what the machine has, unless it is given, less
--reserve. With certificates a worker's is issued for the name of its node
("candor tls issue worker NAME").

With --simulate no machine is needed: so many nodes, PREFIX-0001 and so on
(--name is the prefix), live and run instances that are made up.`,
		Example: `candor worker --server 127.0.0.1:7101 --data-dir /var/lib/candor-worker
candor worker --name w1 --data-dir ./w1 --labels candor/zone=a --reserve cpu=500m,memory=1Gi
candor worker --simulate 1000 --start-delay 200ms`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.complete(&given); err != nil {
				return err
			}
			return runs(run, runWorker)(cmd.Context(), o)
		},
	}
	o.register(cmd.Flags(), &given)
	return remotely(cmd)
}

// NewCmdWorkerShim returns the hidden command that runs one instance for a worker.
func NewCmdWorkerShim() *cobra.Command {
	return &cobra.Command{
		Use: shim.Argument + " DIR", Short: "Run one instance for a worker", Hidden: true,
		Example: "candor " + shim.Argument + " DATA/instances/UID",
		Args:    arguments(1, 1, "the folder of an instance"),
		RunE:    func(_ *cobra.Command, args []string) error { return shim.Main(shim.Dir(args[0])) },
	}
}

func (o *WorkerOptions) register(flags *pflag.FlagSet, given *workerFlags) {
	c, s := &o.Config, &o.Fleet
	flags.StringVar(&c.Name, "name", "", "`name` of the node (default: the machine's)")
	flags.StringVar(&c.Data, "data-dir", "", "`directory` of the worker's data; one worker's alone")
	flags.StringToStringVar(&c.Labels, "labels", nil, "`KEY=VALUE,…` of a node that is not there yet")
	flags.StringSliceVar(&given.taints, "taints", nil, "`KEY[=VALUE]:EFFECT,…` of a node that is not there yet")
	flags.StringVar(&given.cpu, "cpu", "", "cores that instances may hold, as 4 or 500m (default: the machine's)")
	flags.StringVar(&given.memory, "memory", "", "memory that instances may hold, as 4Gi (default: the machine's)")
	flags.StringToStringVar(&given.resources, "resources", nil, "`NAME=QUANTITY,…`: what else the machine has, as gpu=2")
	flags.StringToStringVar(&given.reserve, "reserve", nil, "`NAME=QUANTITY,…` that instances may not hold")
	flags.StringVar(&c.Address, "address", "", "where the machine is reached, for people")
	flags.IntVar(&c.Observers, "observers", 0, "how many observations are written at a time (default 8; simulated 256)")
	flags.IntVar(&o.Connections, "connections", 0, "connections to each server (default 1; simulated 4)")
	flags.IntVar(&given.simulate, "simulate", 0, "play so many nodes that run nothing, in place of this machine")
	flags.IntVar(&s.Zones, "zones", 3, "simulated: zones that the nodes are spread over")
	flags.DurationVar(&s.StartDelay, "start-delay", 0, "simulated: how long an instance takes to start")
	flags.IntVar(&s.FailEvery, "fail-every", 0, "simulated: each so many'th start fails; 0 for none")
	flags.BoolVar(&s.Cleanup, "cleanup", false, "simulated: remove the nodes at the end")
	flags.StringVar(&o.LogLevel, "log-level", "info", "trace, debug, info, warn or error")
	flags.BoolVar(&o.LogJSON, "log-json", false, "log as JSON lines")
	for _, none := range []string{"labels", "resources", "reserve"} {
		flags.Lookup(none).DefValue = "" // not "[]"
	}
}

// complete reads what the flags say.
func (o *WorkerOptions) complete(given *workerFlags) error {
	o.Fleet.Count = given.simulate
	switch {
	case given.simulate < 0:
		return usage("--simulate %d: want 1 or more", given.simulate)
	case given.simulate == 0 && (o.Fleet.StartDelay != 0 || o.Fleet.FailEvery != 0 || o.Fleet.Cleanup):
		return usage("--start-delay, --fail-every and --cleanup are for --simulate")
	case given.simulate > 0 && (o.Config.Data != "" || len(given.reserve) > 0):
		return usage("--data-dir and --reserve are of a real machine, and --simulate plays nodes without one")
	case given.simulate == 0 && o.Config.Data == "":
		return usage("a data directory is required: --data-dir DIR")
	}
	var err error
	if o.Config.Reserve, err = resourcesOf("--reserve", given.reserve); err != nil {
		return err
	}
	if o.Config.Taints, err = taintsOf(given.taints); err != nil {
		return err
	}
	if err := candor.CheckLabels("--labels", o.Config.Labels); err != nil {
		return usageOf(err)
	}
	if o.Config.Name != "" {
		if err := candor.CheckName("--name", o.Config.Name); err != nil {
			return usageOf(err)
		}
	}
	return o.capacity(given)
}

// usageOf is a refusal of what a flag says.
func usageOf(err error) error {
	if refused, ok := errors.AsType[*candor.Error](err); ok && refused.Message != "" {
		return usage("%s", refused.Message)
	}
	return usage("%s", err)
}

// capacity is what is given, over what the machine has.
func (o *WorkerOptions) capacity(given *workerFlags) error {
	named := maps.Clone(given.resources)
	if named == nil {
		named = map[string]string{}
	}
	for name, text := range map[string]string{candor.ResourceCPU: given.cpu, candor.ResourceMemory: given.memory} {
		if text != "" {
			named[name] = text
		}
	}
	extra, err := resourcesOf("capacity", named)
	if err != nil || len(extra) == 0 {
		return err
	}
	base := worker.Capacity()
	if o.Fleet.Count > 0 {
		base = fleet.Capacity()
	}
	for _, a := range base {
		if _, ok := named[a.Name]; !ok {
			extra = append(extra, a)
		}
	}
	slices.SortFunc(extra, func(a, b candor.Amount) int { return strings.Compare(a.Name, b.Name) })
	o.Config.Capacity = extra
	return nil
}

func resourcesOf(flag string, named map[string]string) (candor.Resources, error) {
	var out candor.Resources
	for _, name := range slices.Sorted(maps.Keys(named)) {
		value, err := candor.ParseAmount(name, named[name])
		if err != nil {
			return nil, usage("%s: %s", flag, err.Message)
		}
		out = append(out, candor.Amount{Name: name, Value: value})
	}
	return out, nil
}

func taintsOf(texts []string) ([]candor.Taint, error) {
	var out []candor.Taint
	for _, text := range texts {
		at := strings.LastIndexByte(text, ':')
		key, value, _ := strings.Cut(text[:max(at, 0)], "=")
		effect := candor.TaintEffect(text[at+1:])
		if key == "" || effect != candor.NoSchedule && effect != candor.PreferNoSchedule && effect != candor.NoExecute {
			return nil, usage("--taints %q: want KEY:EFFECT or KEY=VALUE:EFFECT, where the effect is NoSchedule, PreferNoSchedule or NoExecute", text)
		}
		out = append(out, candor.Taint{Key: key, Value: value, Effect: effect})
	}
	return out, nil
}

func runWorker(ctx context.Context, o *WorkerOptions) (err error) {
	level := hclog.LevelFromString(o.LogLevel)
	if level == hclog.NoLevel {
		return usage("--log-level %q: want trace, debug, info, warn or error", o.LogLevel)
	}
	logger := hclog.New(&hclog.LoggerOptions{Name: "worker", Level: level, JSONFormat: o.LogJSON, Output: o.Err})
	connections := o.Connections
	if connections == 0 && o.Fleet.Count > 0 {
		connections = 4 // one carries the observations of a few hundred nodes
	}
	c, closeClient, err := o.dial(connections, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeClient()) }()
	if o.Fleet.Count > 0 {
		return runFleet(ctx, o, c, logger)
	}
	self, err := os.Executable()
	if err != nil {
		return internal("find this program", err)
	}
	o.Config.Shim, o.Config.Version = []string{self, shim.Argument}, o.Version
	o.Config.Nodes, o.Config.Instances, o.Config.Policies, o.Config.Logger = c, worker.Over(c), worker.PoliciesOver(c), logger
	agent, err := worker.New(o.Config)
	if err != nil {
		return err
	}
	return agent.Run(ctx)
}

func runFleet(ctx context.Context, o *WorkerOptions, c *client.Client, logger hclog.Logger) error {
	s := &o.Fleet
	s.Prefix, s.Labels, s.Taints, s.Capacity, s.Observers, s.Version = o.Config.Name, o.Config.Labels, o.Config.Taints, o.Config.Capacity, o.Config.Observers, o.Version
	s.Nodes, s.Instances, s.Deleter, s.Logger = c, worker.Over(c), c, logger
	nodes, err := fleet.New(*s)
	if err != nil {
		return err
	}
	return nodes.Run(ctx)
}

// dial makes a client of the worker's own: it acts in the node's name where nothing
// else says in whose.
func (o *WorkerOptions) dial(connections int, logger hclog.Logger) (*client.Client, func() error, error) {
	endpoint, err := o.Flags.endpoint(o.Getenv)
	if err != nil {
		return nil, nil, err
	}
	if endpoint.Token, err = o.token(); err != nil {
		return nil, nil, err
	}
	if endpoint.TLS, err = o.Flags.certificates(o.Getenv); err != nil {
		return nil, nil, err
	}
	own, err := openIdentity(endpoint.TLS)
	if err != nil {
		return nil, nil, err
	}
	if endpoint.Actor == "" && endpoint.Token == "" && own == nil && o.Config.Name != "" {
		endpoint.Actor = string(candor.PartyWorker) + "/" + o.Config.Name
	}
	c, err := client.New(client.Config{
		Endpoints: endpoint.Servers, Actor: endpoint.Actor, Token: endpoint.Token, TLS: own, Timeout: min(endpoint.Timeout, time.Minute),
		Connections: connections, Logger: logger.Named("client"),
	})
	if err != nil {
		return nil, nil, err
	}
	return c, func() error { return closeBoth(c, own) }, nil
}
