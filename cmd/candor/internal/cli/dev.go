package cli

import (
	"context"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/dev"
)

// DevOptions are those of `candor dev`.
type DevOptions struct {
	*Factory
	Dir           string
	Nodes         int
	Workers       int
	TLS           *bool // nil for what the folder has
	Policies      []string
	Apply         []string
	ExitWhenReady bool
	Failover      bool
	ServerArgs    []string
	Wait          time.Duration
}

// NewCmdDev returns `candor dev`.
func NewCmdDev(f *Factory, run func(context.Context, *DevOptions) error) *cobra.Command {
	o := &DevOptions{Factory: f}
	var tls bool
	cmd := &cobra.Command{
		Use: "dev", Short: "Run a whole cluster on this machine",
		Long: `Run a whole cluster on this machine, as real processes, until Ctrl-C.

Its folder (--data) holds the data of every server, their logs (NAME.log) and
a context file, so that a second terminal reaches the cluster with

  export CANDOR_CONTEXT=DIR/context.yaml

With --workers it also runs so many workers, w1 and so on, each of which offers
its part of this machine under labels candor/zone, candor/host and
candor/dev=true. They find programs that lie beside this one. Killing a worker leaves what it runs running, as on a real machine:
the cluster gives that up and makes it anew elsewhere, and the worker ends the
rest when it is started again. The end of this command ends everything; what a
SIGKILL of it left is ended by its next start.

The same folder can be taken up again later. Without --data the cluster lives
in a temporary folder that is removed at the end.

With --tls the folder gets an authority (DIR/tls, see "candor tls"), and every
server and the context a certificate of it; the folder remembers that. Access
control is off until "candor auth bootstrap".`,
		Example: `candor dev
candor dev --workers 2 --policies examples/policies --apply examples/shop
candor dev --nodes 5 --data ./cluster
candor dev --tls --data ./cluster
candor dev --apply examples/ --failover --exit-when-ready
candor dev kill w1 --data ./cluster      (from a second terminal)`,
		Args: arguments(0, 0, "no arguments; kill, start, stop, pause and resume are its subcommands"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("tls") {
				o.TLS = &tls
			}
			return runs(run, runDev)(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&o.Nodes, "nodes", 0, "how many servers, 1 to 9 (default 3, or what the folder has)")
	flags.IntVar(&o.Workers, "workers", 0, "how many workers, 1 to 20 (default none, or what the folder has)")
	flags.BoolVar(&tls, "tls", false, "have servers and clients prove who they are by certificates (default: what the folder has)")
	flags.StringArrayVar(&o.Policies, "policies", nil, "apply these manifests before the workers start: what their nodes are under, such as a FailurePolicy")
	flags.StringArrayVar(&o.Apply, "apply", nil, "apply these manifests once there is a leader and every worker is ready (file or folder)")
	flags.BoolVar(&o.ExitWhenReady, "exit-when-ready", false, "end with exit code 0 once everything has converged")
	flags.BoolVar(&o.Failover, "failover", false, "kill the leader and a worker once, and show what is lost: nothing")
	flags.StringArrayVar(&o.ServerArgs, "server-arg", nil, "pass an argument on to every server, for example --server-arg=--log-level=debug")
	flags.DurationVar(&o.Wait, "wait", time.Minute, "how long the cluster may take to converge")
	cmd.PersistentFlags().StringVar(&o.Dir, "data", "", "the cluster's folder (env CANDOR_DEV_DATA)")
	for _, verb := range []struct{ name, short string }{
		{"kill", "Kill a server or worker at once (SIGKILL)"},
		{"start", "Start one that is down"},
		{"stop", "Stop one gracefully (SIGTERM)"},
		{"pause", "Freeze one (SIGSTOP)"},
		{"resume", "Let a frozen one go on (SIGCONT)"},
	} {
		cmd.AddCommand(newCmdDevVerb(o, verb.name, verb.short))
	}
	cmd.AddCommand(newCmdDevVerb(o, "list", "List the servers and workers, and their processes"))
	return honours(cmd, flagActor, flagToken)
}

func newCmdDevVerb(o *DevOptions, verb, short string) *cobra.Command {
	count, want, use := 1, "the name of one server or worker", verb+" NAME"
	if verb == "list" {
		count, want, use = 0, "no arguments", verb
	}
	return &cobra.Command{
		Use: use, Short: short, Args: arguments(count, count, want),
		Example: "candor dev " + use + " --data ./cluster",
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := o.dir()
			if dir == "" {
				return usage("say which cluster: --data DIR, or CANDOR_DEV_DATA")
			}
			q := dev.Request{Verb: verb}
			if len(args) > 0 {
				q.Node = args[0]
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), 30*time.Second)
			defer cancel()
			r, err := dev.Ask(ctx, dir, q)
			if err != nil {
				return err
			}
			for _, line := range r.Lines {
				if _, err := o.Out.Write([]byte(line + "\n")); err != nil {
					return internal("dev", err)
				}
			}
			return nil
		},
	}
}

func (o *DevOptions) dir() string {
	if o.Dir != "" {
		return o.Dir
	}
	return o.Getenv("CANDOR_DEV_DATA")
}

func runDev(ctx context.Context, o *DevOptions) (err error) {
	dir := o.dir()
	if dir == "" {
		if dir, err = dev.Temporary(o.Narrate); err != nil {
			return err
		}
		defer func() {
			if removed := os.RemoveAll(dir); err == nil {
				err = internal("dev", removed)
			}
		}()
	}
	program, err := os.Executable()
	if err != nil {
		return internal("dev", err)
	}
	cluster, err := dev.Start(dev.Options{Dir: dir, Nodes: o.Nodes, Workers: o.Workers, TLS: o.TLS, Program: program, ServerArgs: o.ServerArgs, Narrate: o.Narrate})
	if err != nil {
		return err
	}
	defer cluster.Stop()
	show := &devShow{DevOptions: o, cluster: cluster, began: o.Now()}
	if err := show.run(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	if o.ExitWhenReady {
		return nil
	}
	o.Narrate("")
	o.Narrate("The cluster runs until Ctrl-C. From another terminal:")
	o.Narrate("  export CANDOR_CONTEXT=%s CANDOR_DEV_DATA=%s", cluster.ContextPath(), dir)
	o.Narrate("%s", suggestion(cluster))
	<-ctx.Done()
	o.Narrate("stopping")
	return nil
}

// suggestion is what to try in the other terminal.
func suggestion(cluster *dev.Cluster) string {
	if len(cluster.Workers()) == 0 {
		return "  candor get kinds; candor status; candor dev kill n1; candor dev start n1"
	}
	return "  candor node list; candor get instances -A; candor status; candor dev kill w1; candor dev start w1"
}

// seconds prints a duration for people.
func seconds(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) + " s"
}

// waitUntil polls a condition, which says what it still waits for.
func (o *DevOptions) waitUntil(ctx context.Context, what string, condition func(context.Context) (string, error)) error {
	deadline := o.Now().Add(o.Wait)
	for {
		missing, err := condition(ctx)
		if err == nil && missing == "" {
			return nil
		}
		if err != nil {
			missing = err.Error()
		}
		if o.Now().After(deadline) {
			return candor.Errorf(candor.ReasonWaitTimedOut, "%s: not within %s: %s", what, o.Wait, missing)
		}
		if err := o.Sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}
