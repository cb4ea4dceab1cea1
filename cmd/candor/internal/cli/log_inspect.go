package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
	"github.com/candor-plane/candor/verify/replay"
)

// LogInspectOptions are those of `candor log inspect`.
type LogInspectOptions struct {
	*Factory
	Source string
	From   uint64
	Around uint64
	Limit  int
	Grep   string
}

// NewCmdLog returns `candor log` and its commands.
func NewCmdLog(f *Factory) *cobra.Command {
	return newGroup("log", "Look into the log of a server", NewCmdLogInspect(f, nil))
}

// NewCmdLogInspect returns `candor log inspect`.
func NewCmdLogInspect(f *Factory, run func(context.Context, *LogInspectOptions) error) *cobra.Command {
	o := &LogInspectOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "inspect [SOURCE]", Short: "Print the entries of a server's log",
		Long: `Print the entries of a server's log: term and index, size, the clock of the
leader that wrote it, and each command with who gave it. Nothing is applied, and
nothing changed; "candor replay --step" shows what became of them.

` + sourceHelp + `

A data directory is verified as at a start; one that a server runs on is
refused. -o json prints one object per line.`,
		Example: `candor log inspect n1 --limit 20
candor log inspect ./cluster/n1 --around 1042
candor log inspect bundle.zip@n2 --grep 'delete .*shop' -o json`,
		Args:              arguments(0, 1, "at most one source"),
		ValidArgsFunction: f.completeOnce(f.memberNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.Source = args[0]
			}
			return runs(run, runLogInspect)(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.Uint64Var(&o.From, "from", 0, "begin at this `index`")
	flags.Uint64Var(&o.Around, "around", 0, "print this `index` and the five entries on either side")
	flags.IntVar(&o.Limit, "limit", 0, "print at most so many entries; 0 for all")
	flags.StringVar(&o.Grep, "grep", "", "print entries alone that this regular `expression` matches")
	return remotely(cmd, flagOutput)
}

// besides is how many entries --around prints on either side.
const besides = 5

func runLogInspect(ctx context.Context, o *LogInspectOptions) (err error) {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	matches, err := regexp.Compile(o.Grep)
	if err != nil {
		return usage("--grep: %v", err)
	}
	from, to := o.From, uint64(math.MaxUint64)
	if o.Around != 0 {
		if o.From != 0 {
			return usage("--from and --around exclude each other")
		}
		from, to = o.Around-min(o.Around, besides), o.Around+besides
	}
	source, err := o.openSource(ctx, o.Source)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.close()) }()
	origin := source.Origin()
	if origin.Last == 0 {
		o.Narrate("%s: the log has no entries", output.Clean(origin.Name))
		return nil
	}
	if o.Around != 0 && (o.Around < origin.First || o.Around > origin.Last) {
		return &candor.Error{Reason: candor.ReasonNotFound, Message: fmt.Sprintf("%s holds the entries %d to %d", origin.Name, origin.First, origin.Last)}
	}
	printed := 0
	for e, err := range source.Entries(ctx, max(from, origin.First), min(to, origin.Last)) {
		if err != nil {
			return err
		}
		s := replay.Summarize(&e)
		if !matches.MatchString(s.Type + " " + s.What()) {
			continue
		}
		if err := o.entry(format, &s); err != nil {
			return internal("log inspect", err)
		}
		if printed++; printed == o.Limit || ctx.Err() != nil {
			break
		}
	}
	if origin.Committed != 0 && origin.Committed < origin.Last {
		o.Narrate("entries %d to %d are in the log and not applied yet: they may never be committed", origin.Committed+1, origin.Last)
	}
	return nil
}

func (o *LogInspectOptions) entry(format output.Format, s *replay.Summary) error {
	if format.Structured() {
		return output.Line(o.Out, s)
	}
	wall, mark := "", ""
	if !s.Wall.IsZero() {
		wall = s.Wall.Format(time.RFC3339Nano) + "  "
	}
	if o.Around != 0 {
		mark = "  "
		if s.Index == o.Around {
			mark = "> "
		}
	}
	what := s.What()
	if s.Type != replay.Command || what == "" {
		what = s.Type + " " + what
	}
	_, err := fmt.Fprintf(o.Out, "%s%d:%d  %s%d bytes  %s\n", mark, s.Term, s.Index, wall, s.Bytes, output.Clean(what))
	return err
}
