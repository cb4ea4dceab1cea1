package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"time"

	"github.com/candor-plane/candor/bench/experiment"
	"github.com/candor-plane/candor/bench/report"
)

const (
	noiseLimit  = 0.08
	fullTimeout = 2 * time.Hour
)

// options is what the command line asks for.
type options struct {
	plan       experiment.Plan
	planName   string
	rows       *regexp.Regexp
	only       string
	candor     string
	peer       string
	bare       string
	out        string
	data       string
	check      bool
	list       bool
	fsyncDelay time.Duration
	noiseLimit float64
	timeout    time.Duration
}

var errHelp = flag.ErrHelp

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	smoke := flags.Bool("smoke", false, "run everything once and briefly, in under a minute: shows that it works, not how fast")
	rows := flags.String("rows", "", "run only what yields rows that match this `regexp` (see --list)")
	rounds := flags.Int("rounds", 0, "rounds of every experiment, in place of 5, of 10 kills and of 3 large loads or placements")
	window := flags.Duration("window", 0, "recorded part of a round, in place of 3s")
	objects := flags.Int("objects", 0, "objects of the scale rows, in place of 1,000,000")
	flags.StringVar(&o.only, "only", "", "measure one side only: "+report.Candor+" or "+report.Peer)
	flags.StringVar(&o.candor, "candor", cmp.Or(os.Getenv("CANDOR"), "../bin/candor"), "the candor `binary` to measure (env CANDOR)")
	flags.StringVar(&o.peer, "peer-candor", "", "measure another candor `binary` in the peer's place; no targets are judged then")
	flags.StringVar(&o.bare, "witnessless", "", "candor `binary` built with -tags nowitness, for the rows witness/*, which are left out without it; this one must be built so too")
	flags.StringVar(&o.out, "out", "", "results `file` (default results/latest.json)")
	flags.StringVar(&o.data, "data", "", "`directory` on the disk to measure (default the temporary directory, or this one if that is in memory)")
	flags.BoolVar(&o.check, "check", false, "exit 8 unless every target of the rows that ran is reached")
	flags.BoolVar(&o.list, "list", false, "print every row with its targets, and run nothing")
	flags.DurationVar(&o.fsyncDelay, "fsync-delay", 0, "add this much to every fsync of every member; no targets are judged then")
	flags.Float64Var(&o.noiseLimit, "noise-limit", noiseLimit, "share of the machine that other processes may take in a round")
	flags.DurationVar(&o.timeout, "timeout", fullTimeout, "end the whole run after this long")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("argument %q, wanted flags only; see --help", flags.Arg(0))
	}
	o.plan, o.planName = experiment.Full(), "full"
	if *smoke {
		o.plan, o.planName = experiment.Smoke(), "smoke"
	}
	if *rounds > 0 {
		o.plan.Rounds, o.plan.FailoverRounds, o.plan.ScaleRounds, o.plan.PlacementRounds = *rounds, *rounds, *rounds, *rounds
	}
	if *window > 0 {
		o.plan.Window = *window
	}
	if *objects > 0 {
		o.plan.ScaleObjects = *objects
	}
	var err error
	if o.rows, err = regexp.Compile(*rows); err != nil {
		return o, fmt.Errorf("--rows: %w", err)
	}
	return o, o.validate()
}

func (o *options) validate() error {
	if o.only != "" && o.only != report.Candor && o.only != report.Peer {
		return fmt.Errorf("--only %s, wanted %s or %s", o.only, report.Candor, report.Peer)
	}
	if o.check && !o.judges() {
		return errors.New("--check needs both sides, etcd as the peer and no --fsync-delay: targets are ratios on the plain disk")
	}
	if o.fsyncDelay < 0 || o.fsyncDelay > time.Second {
		return fmt.Errorf("--fsync-delay %v, wanted 0 to 1s", o.fsyncDelay)
	}
	if o.noiseLimit <= 0 {
		return fmt.Errorf("--noise-limit %v, wanted more than 0", o.noiseLimit)
	}
	if o.out == "" {
		o.out = "results/latest.json"
		if o.fsyncDelay > 0 {
			o.out = fmt.Sprintf("results/latest-fsync-%v.json", o.fsyncDelay)
		}
	}
	return nil
}

// judges says whether what is asked for is what the targets are meant for.
func (o *options) judges() bool { return o.only == "" && o.peer == "" && o.fsyncDelay == 0 }

// experiments are those of the catalog that yield a wanted row and can be
// measured with what was given.
func (o *options) experiments() []experiment.Experiment {
	var chosen []experiment.Experiment
	for _, e := range experiment.Catalog(o.plan) {
		if !o.measures(e.Stage.Beside) {
			continue
		}
		for _, m := range e.Metrics {
			if o.rows.MatchString(e.RowName(m)) {
				chosen = append(chosen, e)
				break
			}
		}
	}
	return chosen
}

// measures says whether there is somebody to measure. Rows that are about Candor
// alone have nobody in the peer's place.
func (o *options) measures(beside experiment.Rival) bool {
	switch beside {
	case experiment.Peer:
		return true
	case experiment.WithoutWitness:
		return o.bare != "" && o.only != report.Peer && o.peer == ""
	default:
		return o.only != report.Peer && o.peer == ""
	}
}
