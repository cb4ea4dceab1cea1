package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// TransitionWaitOptions are those of `candor transition wait`.
type TransitionWaitOptions struct {
	*Factory
	ID string
}

// NewCmdTransitionWait returns `candor transition wait`.
func NewCmdTransitionWait(f *Factory, run func(context.Context, *TransitionWaitOptions) error) *cobra.Command {
	o := &TransitionWaitOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "wait ID", Short: "Wait until a transition has ended",
		Long: `Wait until a transition has ended. Ctrl-C ends the waiting, not the transition.

Exit code 0: what it was to do is done. 9: it has not ended in time. Otherwise it
ended without success, and the code is that of its reason, 4 where it has none.`,
		Example:           "candor transition wait member-replace-9f86d081884c7d659a2feaa0 --timeout 10m",
		Args:              arguments(1, 1, "the ID of one transition"),
		ValidArgsFunction: f.completeTransition(true),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.ID = args[0]
			return runs(run, runTransitionWait)(cmd.Context(), o)
		},
	}
	return remotely(cmd, flagOutput)
}

func runTransitionWait(ctx context.Context, o *TransitionWaitOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, o.Flags.timeout(waitTimeout))
	defer cancel()
	t, err := remote.Transitions.Wait(waiting, o.ID)
	switch {
	case err != nil && waiting.Err() != nil:
		return o.unended(ctx)
	case err != nil:
		return gone(err)
	}
	if format.Structured() {
		err = format.Document(o.Out, t)
	} else if t.Succeeded() {
		err = o.told(t)
	}
	if err != nil {
		return internal("transition wait", err)
	}
	return try(t.Failure(), "candor transition get "+t.ID)
}

func (o *TransitionWaitOptions) told(t *client.Transition) error {
	_, err := fmt.Fprintf(o.Out, "%s is %s%s\n", output.Clean(t.ID), output.Clean(t.Phase), afterText(t))
	return err
}

// unended is the end of the waiting alone.
func (o *TransitionWaitOptions) unended(ctx context.Context) error {
	why, reason := "the time is over", candor.ReasonWaitTimedOut
	if ctx.Err() != nil {
		why, reason = "the waiting was ended", candor.ReasonCanceled
	}
	return try(&candor.Error{Reason: reason, Subject: o.ID, Message: why + "; transition " + o.ID + " has not ended and goes on"},
		"candor transition get "+o.ID, "candor transition wait "+o.ID)
}
