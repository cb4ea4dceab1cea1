package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor/client"
)

// ClusterCompactOptions are those of `candor cluster compact`.
type ClusterCompactOptions struct {
	*Factory
	Revision uint64
}

// NewCmdClusterCompact returns `candor cluster compact`.
func NewCmdClusterCompact(f *Factory, run func(context.Context, *ClusterCompactOptions) error) *cobra.Command {
	o := &ClusterCompactOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "compact REVISION", Short: "Forget versions that were replaced before a revision",
		Long: `Forget versions that were replaced before a revision, which becomes the floor.
Reads and watches from before the floor are refused from then on, as COMPACTED.
What is stored now is not touched. There is no way back.`,
		Example:           "candor cluster compact 977",
		Args:              arguments(1, 1, "one revision"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			revision, err := strconv.ParseUint(args[0], 10, 64)
			if err != nil || revision == 0 {
				return usage("%q: want a revision, a number from 1", args[0])
			}
			o.Revision = revision
			return runs(run, runClusterCompact)(cmd.Context(), o)
		},
	}
	return remotely(cmd)
}

func runClusterCompact(ctx context.Context, o *ClusterCompactOptions) error {
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	floor, err := remote.Keeper.Compact(ctx, o.Revision, client.WithReason("COMPACT", "compacted by hand"))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.Out, "the floor is revision %d\n", floor)
	return internal("cluster compact", err)
}
