package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// ClusterStatusOptions are those of `candor cluster status`.
type ClusterStatusOptions struct {
	*Factory
	Server string
}

// NewCmdClusterStatus returns `candor cluster status`.
func NewCmdClusterStatus(f *Factory, run func(context.Context, *ClusterStatusOptions) error) *cobra.Command {
	o := &ClusterStatusOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "status [SERVER]", Short: "Show the cluster as one server sees it",
		Long: `Show the cluster as one server sees it: its word alone, which proves nothing.
"candor status" asks all of them, and proves that one leads.`,
		Example:           "candor cluster status\ncandor cluster status n2 -o json",
		Args:              arguments(0, 1, "at most one server"),
		ValidArgsFunction: f.completeOnce(f.memberNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.Server = args[0]
			}
			return runs(run, runClusterStatus)(cmd.Context(), o)
		},
	}
	return remotely(cmd, flagOutput)
}

func runClusterStatus(ctx context.Context, o *ClusterStatusOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	options := []client.ReadOption{client.WithoutSession()}
	if o.Server != "" {
		address, err := o.address(ctx, remote, o.Server)
		if err != nil {
			return err
		}
		options = append(options, client.OnEndpoint(address))
	}
	status, err := remote.Cluster.Status(ctx, options...)
	if err != nil {
		return err
	}
	if format.Structured() {
		return internal("cluster status", format.Document(o.Out, status))
	}
	if err := o.show(status, o.duties(ctx, remote, options), o.pendingText(ctx, remote, options)); err != nil {
		return internal("cluster status", err)
	}
	if status.Witness != nil {
		o.Foot(*status.Witness)
	}
	return nil
}

func (o *ClusterStatusOptions) show(s *client.ClusterStatus, duties, transitions string) error {
	facts := output.NewFacts(o.Out, o.OutPalette())
	facts.Add("Cluster", s.ClusterID)
	facts.Add("History", s.HistoryID)
	facts.Add("Seen by", s.NodeName+" ("+s.NodeID+"), "+s.Role+" in term "+count(s.Term))
	if s.Leader != nil {
		facts.Add("Leader by hint", strings.TrimSpace(s.Leader.Name+" "+s.Leader.Address))
	}
	facts.Add("Applied", s.Applied.String())
	facts.Add("Committed", count(s.CommitIndex))
	facts.Add("Configuration", count(s.ConfigurationIndex))
	facts.Add("Floor", revisionText(s.Floor))
	facts.Add("Objects", output.Count(s.Objects))
	facts.Add("State", stateSize(s.StateBytes, s.QuotaBytes))
	facts.Add("Feature level", count(uint64(s.FeatureLevel)))
	facts.Add("Restart state", restartWhy(s.RestartState, s.Recovered, s.RestartReason))
	facts.Add("Duties", duties)
	facts.Add("Transitions", transitions)
	facts.Add("Access control", accessText(s.AccessEpoch))
	facts.Add("Version", s.Version)
	if s.Insecure {
		facts.Add("Security", "none: it listens beyond loopback, and --insecure waived certificates and access control")
	}
	if err := facts.Flush(); err != nil {
		return err
	}
	if len(s.Findings) == 0 {
		return nil
	}
	return findings(o.Factory, s.Findings)
}
