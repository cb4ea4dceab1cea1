package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// ClusterFeatureLevelOptions are those of `candor cluster feature-level`.
type ClusterFeatureLevelOptions struct {
	*Factory
	// Level is the one to raise to; 0 shows the one in force.
	Level uint32
}

// NewCmdClusterFeatureLevel returns `candor cluster feature-level`.
func NewCmdClusterFeatureLevel(f *Factory, run func(context.Context, *ClusterFeatureLevelOptions) error) *cobra.Command {
	o := &ClusterFeatureLevelOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "feature-level [LEVEL]", Short: "Show the feature level, or raise it",
		Long: `Show the feature level in force and what each member supports, or raise it. It
is raised once every member supports the new one, after an upgrade of all; from
then on servers that do not are refused. There is no way back.`,
		Example:           "candor cluster feature-level\ncandor cluster feature-level 2",
		Args:              arguments(0, 1, "at most one level"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				level, err := strconv.ParseUint(args[0], 10, 32)
				if err != nil || level == 0 {
					return usage("%q: want a level, a number from 1", args[0])
				}
				o.Level = uint32(level)
			}
			return runs(run, runClusterFeatureLevel)(cmd.Context(), o)
		},
	}
	return remotely(cmd)
}

func runClusterFeatureLevel(ctx context.Context, o *ClusterFeatureLevelOptions) error {
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	if o.Level == 0 {
		return o.show(ctx, remote.Cluster)
	}
	level, err := remote.Levels.RaiseFeatureLevel(ctx, o.Level)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.Out, "feature level %d is in force\n", level)
	return internal("cluster feature-level", err)
}

func (o *ClusterFeatureLevelOptions) show(ctx context.Context, cluster ClusterReader) error {
	status, err := cluster.Status(ctx, client.WithoutSession())
	if err != nil {
		return err
	}
	members, err := cluster.Members(ctx, client.WithoutSession())
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(o.Out, "feature level %d is in force\n\n", status.FeatureLevel); err != nil {
		return internal("cluster feature-level", err)
	}
	table := output.NewTable(o.Out, o.OutPalette(), "SERVER", "SUPPORTS", "VERSION")
	for _, member := range members.Members {
		table.Row(member.Name, revisionText(uint64(member.FeatureLevel)), member.Version)
	}
	if err := table.Flush(); err != nil {
		return internal("cluster feature-level", err)
	}
	if status.Witness != nil {
		o.Foot(*status.Witness)
	}
	return nil
}
