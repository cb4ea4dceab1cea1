package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// ClusterMembersOptions are those of `candor cluster members`.
type ClusterMembersOptions struct{ *Factory }

// NewCmdClusterMembers returns `candor cluster members`.
func NewCmdClusterMembers(f *Factory, run func(context.Context, *ClusterMembersOptions) error) *cobra.Command {
	o := &ClusterMembersOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "members", Short: "List the servers of the cluster",
		Long: `List the servers of the configuration, as the server that answers knows it.
What gossip says of them, LIVENESS and HEARD, is a hint and proves nothing;
UNKNOWN is a server that gossip has not heard of. JSON shows the Raft address as
Raft knows it too, bound to the server's ID.`,
		Example:           "candor cluster members\ncandor cluster members -o wide",
		Args:              arguments(0, 0, "no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return runs(run, runClusterMembers)(cmd.Context(), o) },
	}
	return remotely(cmd, flagOutput)
}

func runClusterMembers(ctx context.Context, o *ClusterMembersOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	members, err := remote.Cluster.Members(ctx, client.WithoutSession())
	if err != nil {
		return err
	}
	switch {
	case format.Structured():
		err = format.Document(o.Out, members)
	case format == output.NameFormat:
		for _, member := range members.Members {
			if _, err = fmt.Fprintln(o.Out, output.Clean(member.Name)); err != nil {
				break
			}
		}
	default:
		err = o.table(members.Members, format.Wide())
	}
	if err != nil {
		return internal("cluster members", err)
	}
	o.Narrate("configuration of index %d", members.ConfigurationIndex)
	if members.Witness != nil {
		o.Foot(*members.Witness)
	}
	return nil
}

func (o *ClusterMembersOptions) table(members []client.Member, wide bool) error {
	columns := []string{"NAME", "VOTER", "LEADER", "LIVENESS", "API"}
	if wide {
		columns = append(columns, "RAFT", "HEARD", "LEVEL", "VERSION", "ID")
	}
	table := output.NewTable(o.Out, o.OutPalette(), columns...).States()
	for _, m := range members {
		leader := ""
		if m.Leader {
			leader = "by hint"
		}
		cells := []string{m.Name, yesNo(m.Voter), leader, m.Liveness, m.APIAddress}
		if wide {
			heard := ""
			if m.AppliedHint != nil {
				heard = count(*m.AppliedHint)
			}
			cells = append(cells, m.RaftEndpoint, heard, revisionText(uint64(m.FeatureLevel)), m.Version, m.ServerID)
		}
		table.Row(cells...)
	}
	return table.Flush()
}
