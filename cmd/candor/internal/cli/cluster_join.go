package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/contextfile"
)

// ClusterJoinOptions are those of `candor cluster join`.
type ClusterJoinOptions struct {
	*Factory
	Request client.JoinRequest
}

// NewCmdClusterJoin returns `candor cluster join`.
func NewCmdClusterJoin(f *Factory, run func(context.Context, *ClusterJoinOptions) error) *cobra.Command {
	o := &ClusterJoinOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "join NAME", Short: "Add a server that does not vote yet",
		Long: `Add a server that does not vote yet. A server that is started with --join does
this itself, by its certificate or by a token for joining ("candor auth token
create --join"); this is for adding it from here. It is told everything that the
others are; once it has caught up, "candor cluster promote" lets it vote.`,
		Example:           "candor cluster join n4 --id 7f9c24e8-3b12-4fef-91e0-5d4c0a2b6d11 --raft-address 10.0.0.4:7201 --api-address 10.0.0.4:7101",
		Args:              arguments(1, 1, "the name of one server"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Request.Name = args[0]
			return runs(run, runClusterJoin)(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.Request.ServerID, "id", "", "the server's `ID`, a UUID that was born with its data directory")
	cmd.Flags().StringVar(&o.Request.RaftAddress, "raft-address", "", "where other servers reach it, `HOST:PORT`")
	cmd.Flags().StringVar(&o.Request.APIAddress, "api-address", "", "where clients reach it, `HOST:PORT`")
	cmd.Flags().StringVar(&o.Request.ClusterID, "cluster-id", "", "the `ID` of the cluster on its disk, if it has one")
	cmd.Flags().Uint32Var(&o.Request.FeatureLevel, "feature-level", candor.FeatureLevel, "the highest `level` that it supports")
	return remotely(cmd, flagOutput)
}

func runClusterJoin(ctx context.Context, o *ClusterJoinOptions) error {
	if o.Request.ServerID == "" {
		return usage("which server is %s? --id names it", o.Request.Name)
	}
	for _, address := range []struct{ flag, value string }{{"--raft-address", o.Request.RaftAddress}, {"--api-address", o.Request.APIAddress}} {
		if err := contextfile.CheckServer(address.value); err != nil {
			return usage("%s %q: want HOST:PORT", address.flag, address.value)
		}
	}
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	joined, err := remote.Changer.Join(ctx, o.Request)
	if err != nil {
		return unsure(err)
	}
	if format.Structured() {
		return internal("cluster join", format.Document(o.Out, joined))
	}
	_, err = fmt.Fprintf(o.Out, "%s joined without a vote, configuration %d%s\n", o.Request.Name, joined.ConfigurationIndex, asTransition(joined.Transition))
	o.Narrate("once it has caught up: candor cluster promote %s", o.Request.Name)
	return internal("cluster join", err)
}
