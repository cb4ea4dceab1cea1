package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// NodeRepairOptions are those of `candor node repair`.
type NodeRepairOptions struct {
	*Factory
	Server string
}

// NewCmdNodeRepair returns `candor node repair`.
func NewCmdNodeRepair(f *Factory, run func(context.Context, *NodeRepairOptions) error) *cobra.Command {
	o := &NodeRepairOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "repair SERVER", Short: "Rebuild the view of a quarantined server from a verified peer",
		Long: `Rebuild the view of a quarantined server from a verified peer's snapshot. A server
is quarantined when its state differs from that of a majority at one index of
the log; it keeps its log, term and vote, and needs a peer that is not
quarantined and can be reached.

Servers do this by themselves, unless that was switched off; then, and when you
will not wait for the next attempt, this does it now. It takes as long as a
snapshot does; --timeout bounds how long the command waits.`,
		Example:           "candor node repair n2\ncandor diagnostics n2      is it quarantined, and why did the last repair fail?",
		Args:              arguments(1, 1, "one server"),
		ValidArgsFunction: f.completeOnce(f.memberNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Server = args[0]
			return runs(run, runNodeRepair)(cmd.Context(), o)
		},
	}
	return remotely(cmd, flagOutput)
}

type repairDocument struct {
	Address string `json:"address"`
	*client.Repaired
}

func runNodeRepair(ctx context.Context, o *NodeRepairOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	address, err := o.address(ctx, remote, o.Server)
	if err != nil {
		return err
	}
	if o.Flags.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Flags.Timeout)
		defer cancel()
	}
	o.Narrate("%s rebuilds its view; that takes as long as a snapshot", output.Clean(o.Server))
	repaired, err := remote.Steer(address).Repair(ctx)
	if err != nil {
		return try(err, "candor diagnostics "+o.Server+"      is it quarantined, and how did repairs go?")
	}
	if format.Structured() {
		err = format.Document(o.Out, repairDocument{Address: address, Repaired: repaired})
	} else {
		_, err = fmt.Fprintln(o.Out, output.Clean(o.came(ctx, remote, repaired)))
	}
	if err != nil {
		return internal("node repair", err)
	}
	if repaired.Witness != nil {
		o.stand(*repaired.Witness)
	}
	return nil
}

func (o *NodeRepairOptions) came(ctx context.Context, remote *Remote, repaired *client.Repaired) string {
	text := o.Server + " has a new view"
	if repaired.Source != "" {
		text += " from " + o.memberName(ctx, remote, repaired.Source)
	}
	if repaired.VerifiedIndex > 0 {
		text += ", equal to a majority's at index " + count(repaired.VerifiedIndex)
	}
	return text
}
