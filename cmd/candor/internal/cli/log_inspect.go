package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/candor-plane/candor/server"
)

// LogInspectOptions are those of `candor log inspect`.
type LogInspectOptions struct {
	*Factory
	Data  string
	From  uint64
	Limit int
}

// NewCmdLog returns `candor log` and its commands.
func NewCmdLog(f *Factory) *cobra.Command {
	return newGroup("log", "Look into the log of a stopped server", NewCmdLogInspect(f, nil))
}

// NewCmdLogInspect returns `candor log inspect`.
func NewCmdLogInspect(f *Factory, run func(context.Context, *LogInspectOptions) error) *cobra.Command {
	o := &LogInspectOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "inspect DATA", Short: "Print the log entries of a stopped server's data directory",
		Long: `Print the log entries of a stopped server's data directory: index, term, and
each command with who gave it. The directory is verified as at a start; one
that a server runs on is refused. -o json prints one object per line.`,
		Example: "candor log inspect ./cluster/n1\ncandor log inspect ./cluster/n1 --from 1000 --limit 20 -o json",
		Args:    arguments(1, 1, "one data directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Data = args[0]
			return runs(run, runLogInspect)(cmd.Context(), o)
		},
	}
	cmd.Flags().Uint64Var(&o.From, "from", 0, "begin at this `index`")
	cmd.Flags().IntVar(&o.Limit, "limit", 0, "print at most so many entries; 0 for all")
	return honours(cmd, flagOutput)
}

func runLogInspect(ctx context.Context, o *LogInspectOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	logger := hclog.New(&hclog.LoggerOptions{Name: "candor", Level: hclog.Warn, Output: o.Err})
	var failed error
	printed := 0
	err = server.InspectLog(o.Data, o.From, logger, func(e server.LogEntry) bool {
		if format.Structured() {
			failed = json.NewEncoder(o.Out).Encode(e)
		} else {
			what := strings.Join(e.Commands, "; ")
			if e.Problem != "" {
				what = "DAMAGED: " + e.Problem
			}
			_, failed = fmt.Fprintf(o.Out, "%d:%d\t%s\t%d bytes\t%s\n", e.Term, e.Index, e.Type, e.Bytes, what)
		}
		printed++
		return failed == nil && ctx.Err() == nil && (o.Limit == 0 || printed < o.Limit)
	})
	if err != nil {
		return err
	}
	return internal("log inspect", failed)
}
