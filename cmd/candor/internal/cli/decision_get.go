package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// NewCmdDecisionGet returns `candor decision get`.
func NewCmdDecisionGet(f *Factory, run func(context.Context, *DecisionOptions) error) *cobra.Command {
	o := &DecisionOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "get ID | INSTANCE", Short: "Show a decision as it was stored",
		Long: `Show a decision as it was stored: the state that it was taken on, what it decided,
the best nodes with their scores, and how many nodes each reason ruled out. INSTANCE
is instance/NAME and names the newest decision about it.

"candor why instance/NAME" says it for people, with every node's own reasons.`,
		Example:           "candor decision get d-8123-0\ncandor decision get instance/web-3 -o yaml",
		Args:              arguments(1, 2, "the ID of a decision, or one instance"),
		ValidArgsFunction: f.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Args = args
			return runs(run, runDecisionGet)(cmd.Context(), o)
		},
	}
	return remotely(cmd, flagNamespace, flagRead, flagStale, flagOutput)
}

func runDecisionGet(ctx context.Context, o *DecisionOptions) error {
	q, err := o.question(ctx)
	if err != nil {
		return err
	}
	found, err := q.remote.Decisions.Decision(ctx, q.which, q.options...)
	if err != nil {
		return noDecision(err)
	}
	switch {
	case q.format.Structured():
		err = q.format.Document(o.Out, found)
	case q.format == output.NameFormat:
		_, err = fmt.Fprintln(o.Out, output.Clean(found.Decision.ID))
	default:
		err = o.decisionFacts(found).Flush()
	}
	if err != nil {
		return internal("decision get", err)
	}
	o.Foot(found.Witness)
	return nil
}
