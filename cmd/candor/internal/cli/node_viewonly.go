package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// NodeViewOnlyOptions are those of `candor node view-only`.
type NodeViewOnlyOptions struct {
	*Factory
	Server  string
	On, Off bool
}

// NewCmdNodeViewOnly returns `candor node view-only`.
func NewCmdNodeViewOnly(f *Factory, run func(context.Context, *NodeViewOnlyOptions) error) *cobra.Command {
	o := &NodeViewOnlyOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "view-only SERVER --on|--off", Short: "Have a server refuse reads that may be relied on, or end that",
		Long: `Have a server refuse strong and bounded reads, or end that. Best-effort reads go
on, labelled DEGRADED; its vote and its log are as before. It lasts over restarts
of the server, and works without a quorum. SERVER is a member's name or ID, or
HOST:PORT.

A server that is VIEW_ONLY for another reason stays so after --off:
"candor diagnostics SERVER" names the reason.`,
		Example:           "candor node view-only n2 --on\ncandor node view-only n2 --off",
		Args:              arguments(1, 1, "one server"),
		ValidArgsFunction: f.completeOnce(f.memberNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Server = args[0]
			return runs(run, runNodeViewOnly)(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.On, "on", false, "refuse them from now on")
	cmd.Flags().BoolVar(&o.Off, "off", false, "refuse them no more")
	return remotely(cmd, flagOutput)
}

type viewOnlyDocument struct {
	Address  string         `json:"address"`
	ViewOnly bool           `json:"viewOnly"`
	Changed  bool           `json:"changed"`
	Witness  candor.Witness `json:"witness"`
}

func runNodeViewOnly(ctx context.Context, o *NodeViewOnlyOptions) error {
	if o.On == o.Off {
		return usage("say --on or --off, one of them")
	}
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
	changed, w, err := remote.Steer(address).SetViewOnly(ctx, o.On)
	if err != nil {
		return try(err, "candor diagnostics "+o.Server)
	}
	if format.Structured() {
		err = format.Document(o.Out, viewOnlyDocument{Address: address, ViewOnly: o.On, Changed: changed, Witness: w})
	} else {
		_, err = fmt.Fprintln(o.Out, output.Clean(o.came(changed, w)))
	}
	if err != nil {
		return internal("node view-only", err)
	}
	o.stand(w)
	return nil
}

// came says what the server is now, which is not always what was asked for.
func (o *NodeViewOnlyOptions) came(changed bool, w candor.Witness) string {
	text := o.Server + " is VIEW_ONLY: it refuses strong and bounded reads"
	if o.Off {
		text = "no operator keeps " + o.Server + " from serving"
	}
	if !changed {
		text += "; so it was already, nothing was changed"
	}
	if o.Off && w.Mode == candor.ModeViewOnly {
		text += "; it is still VIEW_ONLY, for " + w.DegradedReason
	}
	return text
}
