package cli

import (
	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// NewCmdCluster returns `candor cluster` and its commands.
func NewCmdCluster(f *Factory) *cobra.Command {
	return newGroup("cluster", "Look at the cluster, and change its members",
		NewCmdClusterStatus(f, nil), NewCmdClusterMembers(f, nil), NewCmdClusterJoin(f, nil), NewCmdClusterPromote(f, nil),
		NewCmdClusterRemove(f, nil), NewCmdClusterReplace(f, nil), NewCmdClusterTransferLeader(f, nil), NewCmdClusterCompact(f, nil), NewCmdClusterFeatureLevel(f, nil), NewCmdClusterRecover(f))
}

// configurationFlag lets a change be refused when the members are not those
// that its author saw.
func configurationFlag(cmd *cobra.Command, into *uint64) {
	cmd.Flags().Uint64Var(into, "if-configuration", 0, "only if the configuration is the one of this `index`, which members shows")
}

func forceFlag(cmd *cobra.Command, into *bool) {
	cmd.Flags().BoolVar(into, "force", false, "even if too few voters would answer then: the cluster may be left without a majority")
}

// asTransition names the transition that a change was; empty where nothing had to change.
func asTransition(id string) string {
	if id == "" {
		return ""
	}
	return ", transition " + output.Clean(id)
}

// unsure sends whoever does not know what became of a change of the members to where
// that is told: a change that was planned goes on.
func unsure(err error) error {
	id := client.TransitionIn(err)
	switch {
	case candor.ReasonOf(err) == candor.ReasonOutcomeUnknown && id != "":
		return try(err, "candor transition wait "+id, "candor transition get "+id, "candor transition cancel "+id)
	case candor.ReasonOf(err) == candor.ReasonOutcomeUnknown, candor.ReasonOf(err) == candor.ReasonCanceled:
		return try(err, "candor transition list      whether it was planned, and how far it is", "candor cluster members")
	case id != "":
		return try(err, "candor transition get "+id)
	}
	return err
}

// atRisk adds the same command with --force to a refusal that names the numbers.
func atRisk(err error, command string) error {
	return try(err, "candor status", command+" --force   may leave the cluster without a majority")
}
