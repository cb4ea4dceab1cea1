package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/network"
	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/drill/stage"
	"github.com/candor-plane/candor/verify/evidence"
)

// DrillRunOptions are those of `candor drill run` and `candor drill replay`.
type DrillRunOptions struct {
	*Factory
	policyFlags
	Scenario string
	Seed     uint64
	Account  string
	Dev      string
	Binary   string
	Previous string
	Links    string
}

// NewCmdDrillRun returns `candor drill run`.
func NewCmdDrillRun(f *Factory, run func(context.Context, *DrillRunOptions) error) *cobra.Command {
	o := &DrillRunOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "run [SCENARIO]", Short: "Run one drill and give an account of it",
		Long: `Run one drill: start a cluster of real processes on this machine, let traffic run,
make the scenario's faults, heal them, and hold the record of every operation against
every promise. SCENARIO is a name of "candor drill list", or a file.

The cluster is the drill's own, on loopback addresses: its links are network namespaces
where this user may make them, if need be in a user namespace of the drill's own, and
proxies otherwise ("candor drill doctor"). With --dev DIR the drill befalls a cluster that
"candor dev" runs, as far as that can be done: it leaves everything healed, and deletes the
namespaces in which its traffic was.

With --policy the scenario is made of a failure policy: nodes fall silent, or probes of
instances fail, for less than it calls a failure, and then for so long that its action is
due; and processes of instances are killed. The action is seen to be done, and not sooner,
nothing else to be, and desired to be real again within its recoverWithin. The policy is
read from the cluster of the context, or from --policy-file; the drill's own cluster, its
simulated nodes or its workers, is put under it. "candor drill show --policy NAME" prints the scenario.

Ctrl-C heals everything and ends everything. What a SIGKILL of the drill leaves,
"candor drill doctor --clean" removes.

The account goes to --out (drill-NAME): report.html, report.json, history.jsonl, seed,
doctor.json, coverage.json, and every server's log; for coverage.json one server is
stopped at the end. The seed decides what a scenario leaves open; it does not decide how
processes are scheduled.

Exit code 0: PASS. 8: VIOLATION. 1: INCONCLUSIVE, for a fault did not bite, there was too
little traffic, or the machine was too busy.`,
		Example: `candor drill run leader-kill
candor drill run partition-leader --seed 7 --out ./account
candor drill run mine.yaml -o json
candor drill run --policy default-nodes
candor drill run --policy-file edge.yaml
candor drill run leader-kill --dev ./cluster`,
		Args: arguments(0, 1, "the name of a scenario, or its file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.wants(args); err != nil {
				return err
			}
			o.Scenario = strings.Join(args, "")
			if !cmd.Flags().Changed("seed") {
				o.Seed = rand.Uint64N(1_000_000)
			}
			return runs(run, runDrillRun)(cmd.Context(), o)
		},
		ValidArgsFunction: scenarioNames,
	}
	flags := cmd.Flags()
	flags.Uint64Var(&o.Seed, "seed", 0, "what the scenario leaves open is decided by this `number` (default a new one)")
	flags.StringVar(&o.Account, "out", "", "write the account to this `folder` (default drill-NAME)")
	flags.StringVar(&o.Dev, "dev", "", "befall the cluster that \"candor dev\" runs in this `folder`")
	flags.StringVar(&o.Binary, "binary", "", "the servers' `program` (default this one)")
	flags.StringVar(&o.Previous, "previous", "", "the previous release's `program`, for scenarios that upgrade")
	flags.StringVar(&o.Links, "links", "", "what the links between servers are: `namespaces|proxies` (default the best that this machine has)")
	o.policyFlags.add(flags)
	return remotely(cmd, flagOutput)
}

func runDrillRun(ctx context.Context, o *DrillRunOptions) error {
	read := func() (*scenario.Scenario, error) { return scenarioOf(o.Scenario) }
	if o.given() {
		read = func() (*scenario.Scenario, error) { return o.ofPolicy(ctx) }
	}
	s, err := read()
	if err != nil {
		return err
	}
	return o.drill(ctx, s)
}

// drill runs a scenario, saves the account, and ends as the verdict says.
func (o *DrillRunOptions) drill(ctx context.Context, s *scenario.Scenario) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	if err := o.check(s); err != nil {
		return err
	}
	if code, done, err := o.inShelter(ctx); err != nil {
		return internal("drill in a shelter", err)
	} else if done {
		return exited(code)
	}
	if o.Account == "" {
		o.Account = "drill-" + s.Name
	}
	outcome, failed := o.run(ctx, s)
	if outcome == nil {
		return failed
	}
	saved, err := report.Save(o.Account, &outcome.Report, report.Part{
		Name: "history.jsonl", What: "every operation, for `candor verify history`",
		Write: func(w io.Writer) error { return evidence.Write(w, outcome.Evidence) },
	})
	if err != nil {
		return errors.Join(err, failed)
	}
	if format.Structured() {
		err = format.Document(o.Out, saved)
	} else {
		err = report.WriteText(o.Out, saved)
	}
	if err != nil {
		return errors.Join(internal("drill run", err), failed)
	}
	if failed != nil {
		return failed
	}
	return verdictExit(saved.Verdict)
}

// check refuses what could be found out before anything begins.
func (o *DrillRunOptions) check(s *scenario.Scenario) error {
	if layer := network.Layer(o.Links); layer != "" && layer != network.Namespaces && layer != network.Proxies {
		return usage("--links %q: want %s or %s", o.Links, network.Namespaces, network.Proxies)
	}
	if o.Dev != "" && (o.Links != "" || o.Binary != "" || o.Previous != "") {
		return usage("--links, --binary and --previous are for servers that the drill begins: leave them out with --dev")
	}
	for _, path := range []string{o.Binary, o.Previous} {
		if _, err := exec.LookPath(path); path != "" && err != nil {
			return usage("the servers' program: %v", err)
		}
	}
	return drill.Sound(s)
}

// run starts the stage, drills, and ends the stage whatever came of it. An outcome may
// come with an error: what was begun did not end.
func (o *DrillRunOptions) run(ctx context.Context, s *scenario.Scenario) (outcome *drill.Outcome, err error) {
	st, machine, err := o.stage(ctx, s)
	if err == nil {
		outcome, err = o.drilled(ctx, st, drill.Options{
			Scenario: s, Stage: st, Seed: o.Seed, Progress: o.progress(), Machine: machine, Version: o.Version,
			Command: o.command(s),
		})
		if o.Dev != "" && candor.ReasonOf(err) != candor.ReasonUnimplemented {
			err = errors.Join(err, o.clean(ctx, st))
		} else if o.Dev == "" && outcome != nil {
			outcome.Report.Files = append(outcome.Report.Files, report.File{Name: "logs", What: "what every server wrote"})
		}
		if err == nil {
			o.cover(ctx, st, outcome)
		}
		err = errors.Join(err, candor.Wrap("end the drill's cluster", st.Close()))
	}
	if err != nil && outcome == nil && ctx.Err() != nil {
		return nil, try(candor.Errorf(candor.ReasonCanceled, "interrupted before the drill began: nothing was done to the cluster"), "the same command again")
	}
	if candor.ReasonOf(err) == candor.ReasonUnavailable && o.Dev == "" {
		err = try(err, "candor drill doctor")
	}
	return outcome, err
}

// stage is the cluster that the drill befalls.
func (o *DrillRunOptions) stage(ctx context.Context, s *scenario.Scenario) (drill.Stage, report.Machine, error) {
	logger := hclog.New(&hclog.LoggerOptions{Name: "candor", Level: hclog.Error, Output: o.Err})
	if o.Dev != "" {
		st, err := o.devStage(ctx, logger)
		return st, machineOf(ctx, "dev"), err
	}
	binary, err := os.Executable()
	if err != nil {
		return nil, report.Machine{}, internal("drill", err)
	}
	child := []string{binary, drillChild}
	if o.Binary != "" {
		binary = o.Binary
	}
	st, err := stage.New(ctx, stage.Options{
		Binary: binary, Previous: o.Previous, Scenario: s, Dir: filepath.Join(o.Account, "logs"), Child: child,
		Layer: network.Layer(o.Links), Seed: o.Seed, Logger: logger,
	})
	if err != nil {
		return nil, report.Machine{}, err
	}
	return st, machineOf(ctx, st.Layer()), nil
}

// command runs the same drill again.
func (o *DrillRunOptions) command(s *scenario.Scenario) string {
	name := o.Scenario
	if name == "" {
		name = s.Name
	}
	words := []string{"candor drill run", name, "--seed", fmt.Sprint(o.Seed)}
	for _, flag := range []struct{ name, value string }{{"--dev", o.Dev}, {"--binary", o.Binary}, {"--previous", o.Previous}, {"--links", o.Links}} {
		if flag.value != "" {
			words = append(words, flag.name, flag.value)
		}
	}
	return strings.Join(words, " ")
}

// progress tells what happens, a line each.
func (o *DrillRunOptions) progress() func(drill.Event) {
	var mu sync.Mutex
	return func(e drill.Event) {
		mu.Lock()
		defer mu.Unlock()
		at := e.At.Round(10 * time.Millisecond)
		switch e.Kind {
		case drill.EventRefused:
			o.Narrate("%8s  not made: %s: %s", at, strings.Join(append([]string{string(e.Fault)}, e.Targets...), " "), e.What)
		case drill.EventLeader:
			o.Narrate("%8s  %s in term %d", at, e.What, e.Term)
		default:
			o.Narrate("%8s  %s", at, e.What)
		}
	}
}
