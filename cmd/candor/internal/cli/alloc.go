package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// NewCmdAlloc returns `candor alloc` and its commands.
func NewCmdAlloc(f *Factory) *cobra.Command {
	return newGroup("alloc", "Take numbers that nobody else has", NewCmdAllocIDs(f, nil), NewCmdAllocTimestamps(f, nil))
}

// AllocOptions are those of the commands that take numbers.
type AllocOptions struct {
	*Factory
	Count uint64
}

// NewCmdAllocIDs returns `candor alloc ids`.
func NewCmdAllocIDs(f *Factory, run func(context.Context, *AllocOptions) error) *cobra.Command {
	o := &AllocOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "ids", Short: "Take IDs: each is handed out once in the life of the cluster",
		Long: `Take IDs in a row: each is handed out once in the life of the cluster, whatever
crashes. Those of a command that failed may be lost; they go to nobody else. The
era is that of duty ids, under which they were handed out.`,
		Example:           "candor alloc ids\ncandor alloc ids --count 100 -o jsonpath={.first}",
		Args:              arguments(0, 0, "no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return runs(run, runAllocIDs)(cmd.Context(), o) },
	}
	return o.register(cmd, client.MaxIDs)
}

// NewCmdAllocTimestamps returns `candor alloc timestamps`.
func NewCmdAllocTimestamps(f *Factory, run func(context.Context, *AllocOptions) error) *cobra.Command {
	o := &AllocOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "timestamps", Short: "Take timestamps: above all that were handed out before",
		Long: `Take timestamps in a row: above every one that was handed out before, by whichever
server. A timestamp is milliseconds of cluster time, times 2^18, and a count within
them: it tells an order, and no time of day. The era is that of duty tso.`,
		Example:           "candor alloc timestamps\ncandor alloc timestamps --count 10",
		Args:              arguments(0, 0, "no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return runs(run, runAllocTimestamps)(cmd.Context(), o) },
	}
	return o.register(cmd, client.MaxTimestamps)
}

func (o *AllocOptions) register(cmd *cobra.Command, most uint64) *cobra.Command {
	cmd.Flags().Uint64VarP(&o.Count, "count", "c", 1, fmt.Sprintf("how `many`, at most %d", most))
	return remotely(cmd, flagOutput)
}

func runAllocIDs(ctx context.Context, o *AllocOptions) error {
	return o.take(ctx, "ids", Dispenser.AllocIDs)
}

func runAllocTimestamps(ctx context.Context, o *AllocOptions) error {
	return o.take(ctx, "tso", Dispenser.Timestamps)
}

type numbersDocument struct {
	client.Numbers
	Last uint64 `json:"last,string"`
	Duty string `json:"duty"`
}

func (o *AllocOptions) take(ctx context.Context, duty string, from func(Dispenser, context.Context, uint64) (client.Numbers, error)) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	n, err := from(remote.Numbers, ctx, o.Count)
	if err != nil {
		return err
	}
	switch {
	case format.Structured():
		err = format.Document(o.Out, numbersDocument{Numbers: n, Last: n.Last(), Duty: duty})
	case format == output.NameFormat:
		for i := uint64(0); i < n.Count && err == nil; i++ {
			_, err = fmt.Fprintln(o.Out, n.First+i)
		}
	default:
		table := output.NewTable(o.Out, o.OutPalette(), "FIRST", "LAST", "COUNT", "ERA")
		table.Row(count(n.First), count(n.Last()), count(n.Count), count(n.Era))
		err = table.Flush()
	}
	return internal("alloc "+duty, err)
}
