package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
	"github.com/candor-plane/candor/verify/sim"
)

// VerifySimOptions are those of `candor verify sim`.
type VerifySimOptions struct {
	*Factory
	Seeds   string
	many    bool
	Seed    uint64
	one     bool
	Steps   int
	For     time.Duration
	Keep    string
	Drop    string
	File    string
	To      string
	Log     bool
	Workers int
}

// NewCmdVerifySim returns `candor verify sim`.
func NewCmdVerifySim(f *Factory, run func(context.Context, *VerifySimOptions) error) *cobra.Command {
	o := &VerifySimOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "sim", Short: "Run the rules themselves through many simulated failures",
		Long: `Run the root's state machine, as servers run it, through simulated failures: a
model of the replicated log, of clocks, clients, coordinators and workers. Each seed
draws one schedule, of some work and some faults, and always the same; every turn and
every answer is checked. Nothing is asked of any cluster.

The seeds run on all processors. When one fails, its schedule is made as short as it
goes while it fails the same check; what is left is shown step by step, with the
command that runs it again.

Exit code 0: every schedule passed. 8: one did not.`,
		Example: "candor verify sim --seeds 1..100000\ncandor verify sim --for 10m --steps 300\ncandor verify sim --seed 17 --keep 3,7-9 --log",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.one, o.many = cmd.Flags().Changed("seed"), cmd.Flags().Changed("seeds")
			return runs(run, runVerifySim)(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Seeds, "seeds", "1..2000", "run the `seeds` from..to, both included")
	flags.Uint64Var(&o.Seed, "seed", 0, "run this `seed` alone")
	flags.IntVar(&o.Steps, "steps", sim.DefaultSteps, "how many choices a schedule has")
	flags.DurationVar(&o.For, "for", 0, "end after so long, with --seeds still to run; without --seeds go on until then")
	flags.StringVar(&o.Keep, "keep", "", "of --seed, make these `choices` alone: 3,7-12")
	flags.StringVar(&o.Drop, "drop", "", "of --seed, leave these `choices` out")
	flags.StringVar(&o.File, "file", "", "run the schedule in this `file` alone")
	flags.StringVar(&o.To, "out", "", "write the shortest schedule that fails to this `file`")
	flags.BoolVar(&o.Log, "log", false, "of one schedule, tell what happens")
	flags.IntVar(&o.Workers, "workers", runtime.GOMAXPROCS(0), "how many schedules run at once")
	cmd.MarkFlagsMutuallyExclusive("seed", "seeds", "file")
	cmd.MarkFlagsMutuallyExclusive("keep", "drop", "file", "seeds")
	return honours(cmd, flagOutput)
}

// simulationDocument is the outcome with -o json and yaml.
type simulationDocument struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	sim.Totals
	// Left are the seeds that were asked for and, for want of time, not run.
	Left       uint64           `json:"left,omitempty"`
	Seconds    string           `json:"seconds"`
	PerSecond  simulationRates  `json:"perSecond"`
	Violations []simulationFail `json:"violations"`
}

type simulationRates struct {
	Schedules int64 `json:"schedules"`
	Turns     int64 `json:"turns"`
	Applied   int64 `json:"applied"`
}

type simulationFail struct {
	Seed    uint64       `json:"seed,string"`
	Failure *sim.Failure `json:"failure"`
	// Least is the shortest schedule that fails, and the command that runs it.
	Least   *sim.Failure `json:"least,omitempty"`
	Choices []int        `json:"choices,omitempty"`
	Replay  string       `json:"replay,omitempty"`
	Steps   []string     `json:"steps,omitempty"`
}

// minimising bounds how long a failing schedule is made shorter.
const minimising = time.Minute

func runVerifySim(ctx context.Context, o *VerifySimOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	if o.Steps < 1 || o.Workers < 1 {
		return usage("--steps %d, --workers %d: want 1 or more", o.Steps, o.Workers)
	}
	document := simulationDocument{APIVersion: candor.APIVersion, Kind: "Simulation", Totals: sim.NewTotals(), Violations: []simulationFail{}}
	began := time.Now()
	single, alone, err := o.single()
	if err == nil && alone {
		err = o.runOne(ctx, &document, single, format.Structured())
	} else if err == nil {
		err = o.runMany(ctx, &document)
	}
	if err != nil {
		return err
	}
	document.rate(time.Since(began))
	if format.Structured() {
		err = format.Document(o.Out, document)
	} else {
		err = o.tell(&document)
	}
	switch {
	case err != nil:
		return internal("verify sim", err)
	case document.Failed > 0:
		return &ended{exit: candor.ExitViolated}
	case ctx.Err() != nil:
		return try(candor.Errorf(candor.ReasonCanceled, "interrupted: %s schedules were run", count(uint64(document.Schedules))), "--for, to end after a time")
	default:
		return nil
	}
}

// single is the one schedule that was asked for, if one was.
func (o *VerifySimOptions) single() (s sim.Schedule, alone bool, err error) {
	switch {
	case o.File != "":
		data, err := os.ReadFile(o.File)
		if errors.Is(err, os.ErrNotExist) {
			return s, false, &candor.Error{Reason: candor.ReasonNotFound, Subject: o.File, Message: "there is no file " + o.File}
		}
		if err != nil {
			return s, false, internal("verify sim", err)
		}
		s, err = sim.Decode(data)
		return s, true, candor.Wrap(o.File, err)
	case !o.one:
		if o.Keep != "" || o.Drop != "" || o.Log {
			return s, false, usage("--keep, --drop and --log are about one schedule: name it with --seed or --file")
		}
		return s, false, nil
	}
	s = sim.New(o.Seed, o.Steps)
	switch {
	case o.Keep != "":
		numbers, err := sim.ReadRanges(o.Keep)
		return s.Only(numbers), true, err
	case o.Drop != "":
		numbers, err := sim.ReadRanges(o.Drop)
		return s.Without(numbers), true, err
	default:
		return s, true, nil
	}
}

func (o *VerifySimOptions) runOne(ctx context.Context, d *simulationDocument, s sim.Schedule, quiet bool) error {
	var options sim.Options
	if o.Log && !quiet {
		options.Log = func(line string) { _, _ = fmt.Fprintln(o.Out, line) }
	}
	result := s.Run(options)
	d.Add(&result)
	if result.Failure == nil {
		return nil
	}
	return o.shorten(ctx, d, s, &result)
}

// runMany runs seeds until the last, the end of the time, or the first that fails.
func (o *VerifySimOptions) runMany(ctx context.Context, d *simulationDocument) error {
	first, last, err := seedsOf(o.Seeds)
	if err != nil {
		return err
	}
	sweeping := ctx
	if o.For > 0 {
		if !o.many {
			last = ^uint64(0)
		}
		var end context.CancelFunc
		sweeping, end = context.WithTimeout(ctx, o.For)
		defer end()
	}
	// A schedule leaves a lot of small things behind, and little of it lives on.
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	var failed *sim.Result
	sim.Sweep(sweeping, first, last, o.Steps, o.Workers, sim.Options{}, func(r sim.Result) bool {
		d.Add(&r)
		if r.Failure != nil && (failed == nil || r.Seed < failed.Seed) {
			failed = &r
		}
		return failed == nil
	})
	if failed == nil {
		if wanted := last - first + 1; last != ^uint64(0) && uint64(d.Schedules) < wanted {
			d.Left = wanted - uint64(d.Schedules)
		}
		return nil
	}
	return o.shorten(ctx, d, sim.New(failed.Seed, o.Steps), failed)
}

func seedsOf(text string) (first, last uint64, err error) {
	from, to, is := strings.Cut(text, "..")
	if !is {
		to = from
	}
	first, err = strconv.ParseUint(from, 10, 64)
	if err == nil {
		last, err = strconv.ParseUint(to, 10, 64)
	}
	if err != nil || last < first {
		return 0, 0, usage("--seeds %s: want FROM..TO", text)
	}
	return first, last, nil
}

// shorten finds the shortest schedule that fails the same check, and what it does.
func (o *VerifySimOptions) shorten(ctx context.Context, d *simulationDocument, s sim.Schedule, r *sim.Result) error {
	shortening, end := context.WithTimeout(ctx, minimising)
	defer end()
	least := sim.Minimise(shortening, s, sim.Options{})
	fail := simulationFail{Seed: r.Seed, Failure: r.Failure, Least: least.Result.Failure, Choices: least.Schedule.Numbers()}
	fail.Replay = o.replay(&least.Schedule)
	least.Schedule.Run(sim.Options{Log: func(line string) { fail.Steps = append(fail.Steps, line) }})
	d.Violations = append(d.Violations, fail)
	if o.To == "" {
		return nil
	}
	data, err := least.Schedule.Encode()
	if err == nil {
		err = os.WriteFile(o.To, data, 0o600)
	}
	return internal("verify sim", err)
}

// replay is the command that runs a schedule again.
func (o *VerifySimOptions) replay(s *sim.Schedule) string {
	switch {
	case o.To != "":
		return "candor verify sim --file " + o.To
	case o.File != "":
		return "candor verify sim --file " + o.File
	}
	words := fmt.Sprintf("candor verify sim --seed %d", s.Seed)
	if s.Steps != sim.DefaultSteps {
		words += fmt.Sprintf(" --steps %d", s.Steps)
	}
	kept := s.Numbers()
	dropped := s.Dropped()
	keep, drop := sim.Ranges(kept), sim.Ranges(dropped)
	switch {
	case len(dropped) == 0:
		return words
	case len(kept) > 0 && len(keep) <= len(drop):
		return words + " --keep " + keep
	default:
		return words + " --drop " + drop
	}
}

func (d *simulationDocument) rate(took time.Duration) {
	d.Seconds = strconv.FormatFloat(took.Seconds(), 'f', 3, 64)
	per := func(n int) int64 { return int64(n) * int64(time.Second) / max(1, int64(took)) }
	d.PerSecond = simulationRates{per(d.Schedules), per(d.Turns), per(d.Applied)}
}

func (o *VerifySimOptions) tell(d *simulationDocument) error {
	out := o.Out
	for i := range d.Violations {
		v := &d.Violations[i]
		fmt.Fprintf(out, "seed %d: VIOLATION of %s\n  %s\n\nthe shortest way to it, %d choices:\n", v.Seed, v.Failure.Check, v.Least.Detail, len(v.Choices))
		for _, line := range v.Steps {
			fmt.Fprintf(out, "  %s\n", line)
		}
		fmt.Fprintf(out, "\nTRY: %s --log\n\n", v.Replay)
	}
	table := output.NewTable(out, o.OutPalette(), "FAULT", "SEEN", "SCHEDULES")
	for _, fault := range sim.Faults {
		table.Row(string(fault), count(uint64(d.Faults[fault])), count(uint64(d.FaultSchedules[fault])))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	if err := o.checks(out, d); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\n%s schedules, %s turns, applied %s times by replicas and replays, in %s s\n%s schedules/s, %s turns/s, %s applied/s\n%s violations\n",
		count(uint64(d.Schedules)), count(uint64(d.Turns)), count(uint64(d.Applied)), d.Seconds,
		count(uint64(d.PerSecond.Schedules)), count(uint64(d.PerSecond.Turns)), count(uint64(d.PerSecond.Applied)), count(uint64(d.Failed)))
	if err == nil && d.Left > 0 {
		_, err = fmt.Fprintf(out, "%s seeds were not run: it ended before them\n", count(d.Left))
	}
	return err
}

func (o *VerifySimOptions) checks(out io.Writer, d *simulationDocument) error {
	table := output.NewTable(out, o.OutPalette(), "CHECKED", "ITEMS")
	var names []string
	for name := range d.Checked {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		table.Row(name, count(uint64(d.Checked[name])))
	}
	return table.Flush()
}
