package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
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
known to be alive to go on without it, with the numbers; --force does it all the
same, and may leave the cluster without a majority, which "candor cluster recover"
alone mends. A server that leads hands leadership over first.

Exit code 6: the change was not over in time, and goes on as the transition that
is named.`,
		Example:           "candor cluster remove n3",
		Args:              arguments(1, 1, "one server"),
		ValidArgsFunction: f.completeOnce(f.memberNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Server = args[0]
			return runs(run, runClusterRemove)(cmd.Context(), o)
		},
	}
	forceFlag(cmd, &o.Remove.Force)
	configurationFlag(cmd, &o.Remove.ExpectedConfiguration)
	return remotely(cmd)
}

func runClusterRemove(ctx context.Context, o *ClusterRemoveOptions) error {
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	removed, err := remote.Changer.Remove(ctx, o.Server, o.Remove)
	if candor.ReasonOf(err) == candor.ReasonQuorumAtRisk && !o.Remove.Force {
		return atRisk(err, "candor cluster remove "+o.Server)
	}
	if err != nil {
		return unsure(err)
	}
	_, err = fmt.Fprintf(o.Out, "%s removed, configuration %d%s\n", o.Server, removed.ConfigurationIndex, asTransition(removed.Transition))
	if o.Remove.Force {
		o.forced(ctx, remote, removed.Transition)
	}
	return internal("cluster remove", err)
}

// forced says what the risk was that force took, in the words of the plan.
func (f *Factory) forced(ctx context.Context, remote *Remote, id string) {
	if id == "" {
		return
	}
	options, err := f.informed(ctx, remote, "")
	if err != nil {
		return
	}
	list, err := remote.Transitions.Get(ctx, id, options...)
	if err == nil && list.Transitions[0].PlanMessage != "" {
		f.Narrate("forced: %s", output.Clean(list.Transitions[0].PlanMessage))
	}
}
