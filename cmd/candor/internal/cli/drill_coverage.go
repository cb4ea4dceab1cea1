package cli

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/verify/coverage"
	"github.com/candor-plane/candor/verify/replay"
)

// coverageFile is what a drill showed, in its account.
const coverageFile = "coverage.json"

// remaining stops a server of its own and leaves its data directory to be read.
type remaining interface {
	Remains(ctx context.Context) (dir string, err error)
}

// drilled is a log by the name of its drill: its directory goes with the stage.
type drilled struct {
	replay.Source
	name string
}

func (d drilled) Origin() replay.Origin {
	o := d.Source.Origin()
	o.Name = d.name
	return o
}

// lastServer bounds how long the end of a drill waits for a server that is well.
const lastServer = 15 * time.Second

// cover writes into the account which steps the drill showed: what the answers said of
// their servers, and the log of one server, which is stopped for it. A drill that shows
// less than it might is told of, and none the worse for it.
func (o *DrillRunOptions) cover(ctx context.Context, st drill.Stage, outcome *drill.Outcome) {
	from, able := st.(remaining)
	if !able || ctx.Err() != nil {
		return
	}
	c := coverage.New()
	c.Add(coverage.Process, outcome.Report.Scenario.Name, coverage.OfHistory(outcome.Evidence.History)...)
	if err := o.coverLog(ctx, c, from, outcome.Report.Scenario.Name); err != nil {
		o.Narrate("%s is without the steps of a server's log: %s", coverageFile, err)
	}
	if err := writeCoverage(c, filepath.Join(o.Account, coverageFile)); err != nil {
		o.Narrate("%s was not written: %s", coverageFile, err)
		return
	}
	outcome.Report.Files = append(outcome.Report.Files, report.File{Name: coverageFile, What: "the steps that were seen, for `candor verify coverage`"})
	s := c.Summary()
	for i := range s.Outside {
		o.Narrate("seen, and not declared: %s: %s", s.Outside[i].Step, s.Outside[i].First)
	}
}

func (o *DrillRunOptions) coverLog(ctx context.Context, c *coverage.Coverage, from remaining, scenario string) error {
	ctx, cancel := context.WithTimeout(ctx, lastServer)
	defer cancel()
	dir, err := from.Remains(ctx)
	if err != nil {
		return err
	}
	source, err := o.openDirectory(dir)
	if err != nil {
		return err
	}
	seen := coverage.New()
	_, err = seen.Replay(ctx, coverage.Process, drilled{source.Source, scenario + " " + filepath.Base(dir)})
	c.Merge(seen)
	return candor.Wrap("replay "+filepath.Base(dir), errors.Join(err, source.close()))
}
