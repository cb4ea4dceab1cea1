package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// NewCmdDecisionReplay returns `candor decision replay`.
func NewCmdDecisionReplay(f *Factory, run func(context.Context, *DecisionOptions) error) *cobra.Command {
	o := &DecisionOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "replay ID | INSTANCE", Short: "Take a decision again, on the state that it was taken on",
		Long: `Take a decision again, on the state that it was taken on, and compare: a decision
is a pure function of that state, of the earlier ones of its batch, and of the
algorithm. Nothing is changed.

Exit code 0: it is the same. 8: it is another (DECISION_DIFFERS). 1: that state is
compacted, or the algorithm is another one (REPLAY_UNAVAILABLE).`,
		Example:           "candor decision replay d-8123-0\ncandor decision replay instance/web-3",
		Args:              arguments(1, 2, "the ID of a decision, or one instance"),
		ValidArgsFunction: f.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Args = args
			return runs(run, runDecisionReplay)(cmd.Context(), o)
		},
	}
	return remotely(cmd, flagNamespace, flagRead, flagStale, flagOutput)
}

func runDecisionReplay(ctx context.Context, o *DecisionOptions) error {
	q, err := o.question(ctx)
	if err != nil {
		return err
	}
	found, err := q.remote.Decisions.ReplayDecision(ctx, q.which, q.options...)
	if err != nil {
		return noDecision(err)
	}
	switch {
	case q.format.Structured():
		err = q.format.Document(o.Out, found)
	case q.format == output.NameFormat:
		_, err = fmt.Fprintln(o.Out, output.Clean(found.Decision.ID))
	default:
		facts := o.decisionFacts(&found.Decided)
		facts.Add("Again", found.Digest)
		facts.Add("Outcome", replayText(found.Decision, &found.Replay))
		err = facts.Flush()
	}
	if err != nil {
		return internal("decision replay", err)
	}
	o.Foot(found.Witness)
	switch {
	case found.Replay.Same:
		return nil
	case found.Replay.Reason == candor.ReasonReplayUnavailable:
		return &ended{exit: candor.ExitError}
	default:
		return &ended{exit: candor.ExitViolated}
	}
}
