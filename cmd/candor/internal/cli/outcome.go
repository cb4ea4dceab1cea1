package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// OutcomeOptions are those of `candor outcome`.
type OutcomeOptions struct {
	*Factory
	RequestID string
}

// NewCmdOutcome returns `candor outcome`.
func NewCmdOutcome(f *Factory, run func(context.Context, *OutcomeOptions) error) *cobra.Command {
	o := &OutcomeOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "outcome REQUEST-ID", Short: "Ask what became of a write",
		Long: `Ask what became of a write whose answer was lost. A command that ended with
exit code 6 names the request. It is kept with its actor: ask as the same one.

The root remembers what it accepted, and every server tells that. How far the
rest came only the servers know that took it, or led then; ask another one with
--server and --read=best-effort.

Exit code 0: it was done. 5: what came to the server that answers was not.
6: not known, or not yet.`,
		Example:           "candor outcome 0192f0c8-5a1e-7cc3-98c4-dc0c0c07398f",
		Args:              arguments(1, 1, "one request ID"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.RequestID = args[0]
			return runs(run, runOutcome)(cmd.Context(), o)
		},
	}
	return remotely(cmd, flagRead, flagStale, flagOutput)
}

type outcomeDocument struct {
	RequestID string         `json:"requestID"`
	Outcome   candor.Outcome `json:"outcome,omitempty"`
	Token     *candor.Token  `json:"acceptedRootToken,omitempty"`
	Reason    candor.Reason  `json:"reason,omitempty"`
	Witness   candor.Witness `json:"witness"`
}

func runOutcome(ctx context.Context, o *OutcomeOptions) error {
	reading, err := o.Flags.reading()
	if err != nil {
		return err
	}
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	found, err := remote.Reader.Outcome(ctx, o.RequestID, reading.options()...)
	if err != nil {
		return err
	}
	if err := o.show(format, found); err != nil {
		return internal("outcome", err)
	}
	o.Foot(found.Witness)
	switch found.Outcome {
	case candor.OutcomeApplied, candor.OutcomeCommitted:
		return nil
	case candor.OutcomeRejected, candor.OutcomeFailed:
		return &ended{exit: candor.ExitUnavailable}
	default:
		return &ended{exit: candor.ExitOutcomeUnknown}
	}
}

func (o *OutcomeOptions) show(format output.Format, found client.WriteOutcome) error {
	document := outcomeDocument{RequestID: o.RequestID, Outcome: found.Outcome, Reason: found.Reason, Witness: found.Witness}
	if !found.Token.IsZero() {
		document.Token = &found.Token
	}
	if format.Structured() {
		return format.Document(o.Out, document)
	}
	facts := output.NewFacts(o.Out, o.OutPalette())
	facts.Add("Request", o.RequestID)
	known := string(found.Outcome)
	if known == "" {
		known = "not known"
	}
	facts.Add("Outcome", known)
	facts.Add("Meaning", meaning(found.Outcome))
	if document.Token != nil {
		facts.Add("Accepted", found.Token.String())
	}
	facts.Add("Reason", string(found.Reason))
	return facts.Flush()
}

func meaning(outcome candor.Outcome) string {
	switch outcome {
	case candor.OutcomeApplied, candor.OutcomeCommitted:
		return "it was done"
	case candor.OutcomeRejected:
		return "this server refused it before the log: what came here was not done"
	case candor.OutcomeFailed:
		return "its turn refused it: what came here was not done"
	case candor.OutcomeQueued:
		return "it waits on this server, and is not done yet; ask again"
	case candor.OutcomeProposed:
		return "it is on its way through the log, and may be done; ask again"
	}
	return "this node knows nothing of it: it was never accepted, or its time to be remembered is over"
}
