package cli

import (
	"github.com/spf13/cobra"
)

// NewCmdCluster returns `candor cluster` and its commands.
func NewCmdCluster(f *Factory) *cobra.Command {
	return newGroup("cluster", "Look at the cluster, and change its members",
		NewCmdClusterStatus(f, nil), NewCmdClusterMembers(f, nil), NewCmdClusterJoin(f, nil), NewCmdClusterPromote(f, nil),
		NewCmdClusterRemove(f, nil), NewCmdClusterTransferLeader(f, nil), NewCmdClusterCompact(f, nil), NewCmdClusterFeatureLevel(f, nil), NewCmdClusterRecover(f))
}

// configurationFlag lets a change be refused when the members are not those
// that its author saw.
func configurationFlag(cmd *cobra.Command, into *uint64) {
	cmd.Flags().Uint64Var(into, "if-configuration", 0, "only if the configuration is the one of this `index`, which members shows")
}
