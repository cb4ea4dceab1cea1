package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

// ClusterPromoteOptions are those of `candor cluster promote`.
type ClusterPromoteOptions struct {
	*Factory
	Server        string
	Configuration uint64
}

// NewCmdClusterPromote returns `candor cluster promote`.
func NewCmdClusterPromote(f *Factory, run func(context.Context, *ClusterPromoteOptions) error) *cobra.Command {
	o := &ClusterPromoteOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "promote SERVER", Short: "Let a server vote, once it has caught up",
		Long: `Let a server vote, once it has shown that it holds everything that was
acknowledged before. Of a server that votes already it says so, and changes
nothing.

Exit code 6: the change was not over in time, and goes on as the transition that
is named.`,
		Example:           "candor cluster promote n4\ncandor cluster promote n4 --timeout 1m",
		Args:              arguments(1, 1, "one server"),
		ValidArgsFunction: f.completeOnce(f.memberNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Server = args[0]
			return runs(run, runClusterPromote)(cmd.Context(), o)
		},
	}
	configurationFlag(cmd, &o.Configuration)
	return remotely(cmd)
}

func runClusterPromote(ctx context.Context, o *ClusterPromoteOptions) error {
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	promoted, err := remote.Changer.Promote(ctx, o.Server, o.Configuration)
	if err != nil {
		return unsure(err)
	}
	if promoted.VotedAlready {
		_, err = fmt.Fprintf(o.Out, "%s votes already, in configuration %d: nothing was changed\n", o.Server, promoted.ConfigurationIndex)
	} else {
		_, err = fmt.Fprintf(o.Out, "%s votes, configuration %d%s\n", o.Server, promoted.ConfigurationIndex, asTransition(promoted.Transition))
	}
	return internal("cluster promote", err)
}
