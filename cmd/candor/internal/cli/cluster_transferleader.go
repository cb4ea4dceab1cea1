package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// ClusterTransferLeaderOptions are those of `candor cluster transfer-leader`.
type ClusterTransferLeaderOptions struct {
	*Factory
	Server string
}

// NewCmdClusterTransferLeader returns `candor cluster transfer-leader`.
func NewCmdClusterTransferLeader(f *Factory, run func(context.Context, *ClusterTransferLeaderOptions) error) *cobra.Command {
	o := &ClusterTransferLeaderOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "transfer-leader [SERVER]", Short: "Let another server lead",
		Long: `Let another server lead: the one that is named, or whichever is fittest.

Exit code 6: it was not over in time, and goes on as the transition that is named.`,
		Example:           "candor cluster transfer-leader\ncandor cluster transfer-leader n2",
		Args:              arguments(0, 1, "at most one server"),
		ValidArgsFunction: f.completeOnce(f.memberNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.Server = args[0]
			}
			return runs(run, runClusterTransferLeader)(cmd.Context(), o)
		},
	}
	return remotely(cmd)
}

func runClusterTransferLeader(ctx context.Context, o *ClusterTransferLeaderOptions) error {
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	handover, err := remote.Changer.TransferLeader(ctx, o.Server)
	if err != nil {
		return unsure(err)
	}
	// Who leads then is said only where the cluster said it.
	told, leader := "leadership was handed over", handover.Leader
	switch {
	case leader != nil && leader.Name != "":
		told = leader.Name + " leads"
	case leader != nil && leader.ServerID != "":
		told = leader.ServerID + " leads"
	}
	_, err = fmt.Fprintln(o.Out, output.Clean(told)+asTransition(handover.Transition))
	return internal("cluster transfer-leader", err)
}
