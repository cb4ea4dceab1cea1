package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// ClusterRemoveOptions are those of `candor cluster remove`.
type ClusterRemoveOptions struct {
	*Factory
	Server string
	Remove client.RemoveOptions
}

// NewCmdClusterRemove returns `candor cluster remove`.
func NewCmdClusterRemove(f *Factory, run func(context.Context, *ClusterRemoveOptions) error) *cobra.Command {
	o := &ClusterRemoveOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "remove SERVER", Short: "Take a server out of the cluster",
		Long: `Take a server out of the cluster. It is refused where too few of the others are
known to be alive to go on without it; --force does it all the same.`,
		Example:           "candor cluster remove n3",
		Args:              arguments(1, 1, "one server"),
		ValidArgsFunction: f.completeOnce(f.memberNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Server = args[0]
			return runs(run, runClusterRemove)(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.Remove.Force, "force", false, "even if fewer than a majority of the others is known to be alive")
	configurationFlag(cmd, &o.Remove.ExpectedConfiguration)
	return remotely(cmd)
}

func runClusterRemove(ctx context.Context, o *ClusterRemoveOptions) error {
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	index, err := remote.Changer.Remove(ctx, o.Server, o.Remove)
	if candor.ReasonOf(err) == candor.ReasonQuorumAtRisk {
		return try(err, "candor status", "candor cluster remove "+o.Server+" --force   may leave the cluster without a majority")
	}
	if err != nil {
		return unsure(err)
	}
	_, err = fmt.Fprintf(o.Out, "%s removed, configuration %d\n", o.Server, index)
	return internal("cluster remove", err)
}
