package round

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/candor-plane/candor/bench/experiment"
	"github.com/candor-plane/candor/bench/process"
	"github.com/candor-plane/candor/bench/system"
)

const (
	// startTimeout bounds the start of a stage's clusters and their first objects.
	startTimeout = 3 * time.Minute
	// measureTimeout bounds one measurement of one side.
	measureTimeout = 20 * time.Minute
	// quietLimit is the share of the machine in use at which a round begins.
	quietLimit = 0.15
	quietSpan  = 150 * time.Millisecond
)

// Config is what a Runner needs.
type Config struct {
	Sides []Side
	// Rivals take the second side's place in the stages that name them.
	Rivals map[experiment.Rival]system.System
	Plan   experiment.Plan
	// Dir is on the measured disk; the runner makes and removes directories in it.
	Dir string
	// NoiseLimit is the share of the machine that others may take in a round.
	NoiseLimit float64
	FsyncDelay time.Duration
	// Narrate receives a line per measurement.
	Narrate io.Writer
}

// Runner runs experiments one after the other.
type Runner struct {
	config  Config
	begun   time.Time
	spawner *process.Spawner
	stage   *stage
}

// NewRunner starts nothing yet. Close ends what Run left alive.
func NewRunner(config Config) *Runner {
	if len(config.Sides) == 0 || config.Narrate == nil || config.Dir == "" {
		panic("round.NewRunner: no sides, no directory or nowhere to narrate")
	}
	return &Runner{config: config, begun: time.Now(), spawner: process.NewSpawner()}
}

// Run runs one experiment. The clusters stay alive for the next that wants the
// same. An ended ctx is answered in the outcome's Err.
func (r *Runner) Run(ctx context.Context, e experiment.Experiment) Outcome {
	sides, err := r.sides(e.Stage)
	if err != nil {
		return Outcome{Experiment: e, Err: err}
	}
	outcome := schedule{
		sides:   names(sides),
		rounds:  e.Rounds,
		repeats: r.config.Plan.Repeats(e.Rounds),
		limit:   r.config.NoiseLimit,
		measure: func(ctx context.Context, side string) (measured, error) {
			return r.measure(ctx, e, sides, side)
		},
		failed: func(_ string, err error) {
			r.narrate("%-30s FAILED %v", e.Name, err)
			// What the failure left behind is unknown: the next round starts anew.
			if err := r.closeStage(); err != nil {
				r.narrate("%-30s %v", e.Name, err)
			}
		},
		rejected: func(other float64) {
			r.narrate("%-30s noisy round: others took %.0f %% of the machine, limit %.0f %%", e.Name, 100*other, 100*r.config.NoiseLimit)
		},
	}.run(ctx)
	outcome.Experiment = e
	return outcome
}

// Close ends all clusters and removes their data.
func (r *Runner) Close() error {
	err := r.closeStage()
	r.spawner.Close()
	return err
}

func (r *Runner) measure(ctx context.Context, e experiment.Experiment, sides []Side, side string) (m measured, err error) {
	ctx, cancel := context.WithTimeout(ctx, measureTimeout)
	defer cancel()
	if err := r.prepare(ctx, e, sides, side); err != nil {
		return measured{}, err
	}
	if e.Stage.Alone {
		defer func() { err = errors.Join(err, r.closeStage()) }()
	}
	if err := awaitQuiet(ctx, r.config.Plan.Patience); err != nil {
		return measured{}, err
	}
	subject := r.stage.subjects[side]
	before, err := subject.Meter.Look()
	if err != nil {
		return measured{}, err
	}
	values, err := e.Measure(ctx, subject)
	if ended := subject.Cluster.Processes().Err(); ended != nil {
		err = errors.Join(err, ended)
	}
	if err != nil {
		return measured{}, err
	}
	after, err := subject.Meter.Look()
	if err != nil {
		return measured{}, err
	}
	m = measured{values: values, other: after.Since(before).Other}
	r.narrate("%-30s %-12s %s  (others %.1f %%)", e.Name, side, line(e, values), 100*m.other)
	return m, nil
}

// prepare opens the stage that the experiment wants, unless it is open.
func (r *Runner) prepare(ctx context.Context, e experiment.Experiment, sides []Side, side string) error {
	if r.stage.serves(e.Stage, r.config.Plan.Brief) {
		return nil
	}
	if err := r.closeStage(); err != nil {
		return err
	}
	if e.Stage.Alone {
		for _, s := range sides {
			if s.Name == side {
				sides = []Side{s}
				break
			}
		}
	}
	opened, err := r.open(ctx, e.Stage, sides)
	if err != nil {
		return fmt.Errorf("start clusters for %s: %w", e.Stage.Name, err)
	}
	r.stage = opened
	return nil
}

func (r *Runner) closeStage() error {
	s := r.stage
	r.stage = nil
	return s.close()
}

// equalSize is the larger of the sides' encodings of one object.
func (r *Runner) equalSize() int {
	largest := 0
	for _, side := range r.config.Sides {
		largest = max(largest, side.System.EncodedBytes(system.NewCorpus("item").At(0)))
	}
	return largest
}

// sides are those of a stage: its rival has the second place. A secured stage has
// each side twice, secured outermost: what is compared is measured side by side.
func (r *Runner) sides(stage experiment.Stage) ([]Side, error) {
	sides := slices.Clone(r.config.Sides)
	if stage.Security != system.Plain {
		return paired(sides, stage.Security), nil
	}
	if stage.Beside == experiment.Peer {
		return sides, nil
	}
	if stage.Beside == experiment.Nobody {
		return sides[:1], nil
	}
	rival, known := r.config.Rivals[stage.Beside]
	if !known {
		return nil, fmt.Errorf("there is no %q to measure beside", stage.Beside)
	}
	if len(sides) > 1 {
		sides[1].System = rival
	}
	return sides, nil
}

func (r *Runner) narrate(format string, args ...any) {
	fmt.Fprintf(r.config.Narrate, "%7.1fs  %s\n", time.Since(r.begun).Seconds(), fmt.Sprintf(format, args...))
}

// awaitQuiet lets the machine finish what the last round left and what others do.
// When that takes longer than patience, the round begins anyway and its own noise
// is judged.
func awaitQuiet(ctx context.Context, patience time.Duration) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		before, err := process.ReadMachine()
		if err != nil {
			return err
		}
		timer := time.NewTimer(quietSpan)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		after, err := process.ReadMachine()
		if err != nil {
			return err
		}
		if _, share := after.BusySince(before); share < quietLimit {
			return nil
		}
	}
	return nil
}

func line(e experiment.Experiment, values experiment.Values) string {
	parts := make([]string, 0, len(e.Metrics))
	for _, m := range e.Metrics {
		parts = append(parts, fmt.Sprintf("%s %.4g %s", m.Name, values[m.Name], m.Unit))
	}
	return strings.Join(parts, ", ")
}
