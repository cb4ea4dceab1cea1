package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/candor-plane/candor/bench/experiment"
	"github.com/candor-plane/candor/bench/report"
	"github.com/candor-plane/candor/bench/round"
	"github.com/candor-plane/candor/bench/system"
	"github.com/candor-plane/candor/bench/target"
)

// bench is one run of the command.
type bench struct {
	options options
	stdout  io.Writer
	stderr  io.Writer
}

func (b bench) run(ctx context.Context) (int, error) {
	if b.options.list {
		return exitDone, b.printRows()
	}
	experiments := b.options.experiments()
	if len(experiments) == 0 {
		return exitUsage, fmt.Errorf("--rows %s matches no row; see --list", b.options.rows)
	}
	chosen, err := sides(b.options.only, b.options.candor, b.options.peer)
	if err != nil {
		return exitUsage, err
	}
	dir, err := scratch(b.options.data)
	if err != nil {
		return exitError, err
	}
	document, err := b.measure(ctx, dir, chosen, experiments)
	if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
		if errors.Is(err, context.Canceled) {
			return exitInterrupted, errors.New("interrupted; nothing was written")
		}
		return exitError, err
	}
	if err := errors.Join(
		document.Environment.WriteHeader(b.stdout),
		report.WriteTable(b.stdout, document.Rows),
		document.Write(b.options.out),
	); err != nil {
		return exitError, err
	}
	return b.verdict(document)
}

// measure runs the experiments and closes every cluster, whatever happens. After
// --timeout the experiments that are left count as failed.
func (b bench) measure(ctx context.Context, dir string, chosen []round.Side, experiments []experiment.Experiment) (_ report.Document, err error) {
	environment, err := b.observe(dir, chosen)
	if err != nil {
		return report.Document{}, err
	}
	others, err := b.rivals()
	if err != nil {
		return report.Document{}, err
	}
	for name, rival := range others {
		environment.Systems[string(name)] = rival.Describe()
	}
	runner := round.NewRunner(round.Config{
		Sides: chosen, Rivals: others, Plan: b.options.plan, Dir: dir,
		NoiseLimit: b.options.noiseLimit, FsyncDelay: b.options.fsyncDelay, Narrate: b.stderr,
	})
	defer func() { err = errors.Join(err, runner.Close()) }()
	document := report.Document{Environment: environment}
	judge := b.options.judges()
	for _, e := range experiments {
		outcome := round.Outcome{Experiment: e, Err: context.DeadlineExceeded}
		if ctx.Err() == nil {
			outcome = runner.Run(ctx, e)
		}
		if errors.Is(ctx.Err(), context.Canceled) {
			return report.Document{}, ctx.Err()
		}
		for _, row := range report.Rows(outcome, judge) {
			if b.options.rows.MatchString(row.Name) {
				document.Rows = append(document.Rows, row)
			}
		}
	}
	return document, nil
}

// rivals are needed where rows about Candor alone are measured.
func (b bench) rivals() (map[experiment.Rival]system.System, error) {
	if b.options.only == report.Peer || b.options.peer != "" {
		return nil, nil
	}
	return rivals(b.options.candor, b.options.bare)
}

func (b bench) observe(dir string, chosen []round.Side) (report.Environment, error) {
	environment, err := report.Observe(dir)
	if err != nil {
		return report.Environment{}, err
	}
	p := b.options.plan
	environment.FsyncDelay = b.options.fsyncDelay.String()
	environment.NoiseLimit = b.options.noiseLimit
	environment.Plan = fmt.Sprintf("%s: %d rounds of %v after %v of warming up, %d kills, %d loads of %d objects",
		b.options.planName, p.Rounds, p.Window, p.Warm, p.FailoverRounds, p.ScaleRounds, p.ScaleObjects)
	environment.Load = append(experiment.Conditions(), "one object is "+b.encodings(chosen))
	environment.Systems = map[string]system.Description{}
	for _, side := range chosen {
		environment.Systems[side.Name] = side.System.Describe()
	}
	return environment, nil
}

func (b bench) encodings(chosen []round.Side) string {
	example := system.NewCorpus("item").At(0)
	parts := make([]string, 0, len(chosen))
	for _, side := range chosen {
		parts = append(parts, fmt.Sprintf("%d bytes encoded for %s", side.System.EncodedBytes(example), side.Name))
	}
	return strings.Join(parts, ", ") + "; the scale rows pad the smaller to the larger"
}

func (b bench) verdict(document report.Document) (int, error) {
	if failed := document.Failed(); len(failed) > 0 {
		return exitError, fmt.Errorf("not measured: %s", strings.Join(failed, ", "))
	}
	if unmet := document.Unmet(); b.options.check && len(unmet) > 0 {
		return exitMissed, fmt.Errorf("targets not shown to be reached: %s", strings.Join(unmet, ", "))
	}
	return exitDone, nil
}

func (b bench) printRows() error {
	table := tabwriter.NewWriter(b.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ROW\tUNIT\tFLOOR\tSTRETCH")
	for _, e := range experiment.Catalog(b.options.plan) {
		for _, m := range e.Metrics {
			var floors, stretches []string
			for _, t := range target.For(e.RowName(m)) {
				floors = append(floors, t.Bound(t.Floor, m.Unit))
				if t.Stretch != 0 {
					stretches = append(stretches, t.Bound(t.Stretch, m.Unit))
				}
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", e.RowName(m), m.Unit, strings.Join(floors, ", "), strings.Join(stretches, ", "))
		}
	}
	return table.Flush()
}
