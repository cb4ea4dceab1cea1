package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// WatchCatchUpOptions are those of `candor watch-catchup`.
type WatchCatchUpOptions struct {
	*Factory
	Server string
	Count  uint64
}

// NewCmdWatchCatchUp returns `candor watch-catchup`.
func NewCmdWatchCatchUp(f *Factory, run func(context.Context, *WatchCatchUpOptions) error) *cobra.Command {
	o := &WatchCatchUpOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "watch-catchup SERVER", Short: "Follow how one server falls behind and catches up",
		Long: `Follow how one server falls behind and catches up: the state that it is in, and
a line for every change, until Ctrl-C. SERVER is a member's name or ID, or
HOST:PORT; it works without a quorum.

STATE   FRESH, LAGGING, BOOTSTRAP_REQUIRED, RECOVERING or UNAVAILABLE; - where
        the server cannot know for lack of a proof
ACTION  what it does about it: NONE, ADVANCE through the log, RELOAD its view,
        BOOTSTRAP from the leader's snapshot, or REJECT
MODE    what a client must know of it; REASON is a word for why

With -o json every change is one line of JSON.`,
		Example:           "candor watch-catchup n2\ncandor watch-catchup n2 -o json --timeout 1m\ncandor watch-catchup n2 --count 1      the state now",
		Args:              arguments(1, 1, "one server"),
		ValidArgsFunction: f.completeOnce(f.memberNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Server = args[0]
			return runs(run, runWatchCatchUp)(cmd.Context(), o)
		},
	}
	cmd.Flags().Uint64Var(&o.Count, "count", 0, "end after so `many` lines (default: never)")
	return remotely(cmd, flagOutput)
}

func runWatchCatchUp(ctx context.Context, o *WatchCatchUpOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	if format == output.YAMLFormat || format == output.NameFormat {
		return usage("-o %s: want table, wide, json or jsonpath=TEMPLATE", format)
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	address, err := o.address(ctx, remote, o.Server)
	if err != nil {
		return err
	}
	if o.Flags.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Flags.Timeout)
		defer cancel()
	}
	changes, err := remote.CatchUp(ctx, address)
	if err != nil {
		return try(err, "candor diagnostics --all", "candor status")
	}
	err = o.follow(ctx, changes, format)
	if closed := changes.Close(); err == nil {
		err = closed
	}
	return try(err, "candor watch-catchup "+o.Server+"      the same again: a watch is of one start of the server", "candor diagnostics --all")
}

// follow shows changes until the count is reached or the context ends.
func (o *WatchCatchUpOptions) follow(ctx context.Context, changes Changes, format output.Format) error {
	show, err := o.printer(format)
	if err != nil {
		return err
	}
	for seen := uint64(0); o.Count == 0 || seen < o.Count; seen++ {
		change, err := changes.Next(ctx)
		if err != nil {
			return unlessOver(ctx, err)
		}
		if err := show(change); err != nil {
			return internal("watch-catchup", err)
		}
	}
	return nil
}

func (o *WatchCatchUpOptions) printer(format output.Format) (func(client.CatchUpChange) error, error) {
	switch {
	case format == output.JSONFormat:
		return func(c client.CatchUpChange) error { return output.Line(o.Out, c) }, nil
	case format.Structured():
		return func(c client.CatchUpChange) error { return format.Document(o.Out, c) }, nil
	}
	// As wide as what usually stands below.
	stream, err := output.NewStream(o.Out, o.OutPalette(), fmt.Sprintf("%-24s", "AT"), fmt.Sprintf("%-7s", "FROM"), fmt.Sprintf("%-7s", "TO"),
		fmt.Sprintf("%-18s", "STATE"), fmt.Sprintf("%-9s", "ACTION"), fmt.Sprintf("%-20s", "MODE"), "REASON")
	if err != nil {
		return nil, internal("watch-catchup", err)
	}
	return func(c client.CatchUpChange) error {
		at := ""
		if !c.At.IsZero() {
			at = c.At.UTC().Format(atMoment)
		}
		return stream.Row(at, viewAt(c.TokenBefore), viewAt(c.TokenAfter),
			string(c.CatchUp), string(c.Action), string(c.Mode), c.DegradedReason)
	}, nil
}

// atMoment is RFC 3339 with milliseconds: changes follow one another fast.
const atMoment = "2006-01-02T15:04:05.000Z"

// viewAt is where a view was; empty before it had applied anything.
func viewAt(t candor.Token) string {
	if t.Index == 0 {
		return ""
	}
	return output.Position(t)
}
