package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// TransitionCancelOptions are those of `candor transition cancel`.
type TransitionCancelOptions struct {
	*Factory
	ID     string
	Reason string
}

// NewCmdTransitionCancel returns `candor transition cancel`.
func NewCmdTransitionCancel(f *Factory, run func(context.Context, *TransitionCancelOptions) error) *cobra.Command {
	o := &TransitionCancelOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "cancel ID", Short: "Give a transition up",
		Long: `Give a transition up. What it has changed already stays changed: of a replacement
the newcomer may vote, and the old server be a member still. A step that is being
carried out may still happen; its own transition says so.

Exit code 0: it is cancelled. 4: it has ended already.`,
		Example:           "candor transition cancel member-replace-9f86d081884c7d659a2feaa0 --reason 'n5 has a bad disk'",
		Args:              arguments(1, 1, "the ID of one transition"),
		ValidArgsFunction: f.completeTransition(true),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.ID = args[0]
			return runs(run, runTransitionCancel)(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.Reason, "reason", "", "`why`, which is kept with it")
	return remotely(cmd, flagOutput)
}

func runTransitionCancel(ctx context.Context, o *TransitionCancelOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	t, err := remote.Transitions.Cancel(ctx, o.ID, o.Reason)
	switch candor.ReasonOf(err) {
	case "":
	case candor.ReasonConflict, candor.ReasonOutcomeUnknown:
		return try(err, "candor transition get "+o.ID)
	default:
		return gone(err)
	}
	if format.Structured() {
		err = format.Document(o.Out, t)
	} else {
		_, err = fmt.Fprintf(o.Out, "%s is %s\n", output.Clean(t.ID), output.Clean(t.Phase))
	}
	o.Narrate("what it had done already stays: candor transition get %s", output.Clean(t.ID))
	return internal("transition cancel", err)
}
