package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// TransitionListOptions are those of `candor transition list`.
type TransitionListOptions struct {
	*Factory
	Pending bool
	Parent  string
	On      string
}

// NewCmdTransitionList returns `candor transition list`.
func NewCmdTransitionList(f *Factory, run func(context.Context, *TransitionListOptions) error) *cobra.Command {
	o := &TransitionListOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "list", Short: "List the transitions, the newest first",
		Long: `List the transitions, the newest first, as one server sees them: the one that
carries them out where it can be found, for others do not know how far a step is.
STALLED are those that have passed their deadline.`,
		Example:           "candor transition list --pending\ncandor transition list --parent member-replace-9f86d081884c7d659a2feaa0\ncandor transition list -o json",
		Args:              arguments(0, 0, "no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return runs(run, runTransitionList)(cmd.Context(), o) },
	}
	cmd.Flags().BoolVar(&o.Pending, "pending", false, "only those that have not ended")
	cmd.Flags().StringVar(&o.Parent, "parent", "", "only the steps of the transition of this `ID`")
	// The flag is there: it was added above.
	_ = cmd.RegisterFlagCompletionFunc("parent", func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return f.completeTransition(false)(cmd, nil, typed)
	})
	seenFrom(f, cmd, &o.On)
	return remotely(cmd, flagOutput)
}

func runTransitionList(ctx context.Context, o *TransitionListOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	options, err := o.informed(ctx, remote, o.On)
	if err != nil {
		return err
	}
	list, err := remote.Transitions.List(ctx, o.Pending, options...)
	if err != nil {
		return err
	}
	if o.Parent != "" {
		list.Transitions = slices.DeleteFunc(list.Transitions, func(t client.Transition) bool { return t.Parent != o.Parent })
	}
	switch {
	case format.Structured():
		err = format.Document(o.Out, list)
	case format == output.NameFormat:
		for i := 0; i < len(list.Transitions) && err == nil; i++ {
			_, err = fmt.Fprintln(o.Out, output.Clean(list.Transitions[i].ID))
		}
	default:
		err = o.table(list, format.Wide())
	}
	if err != nil {
		return internal("transition list", err)
	}
	o.narrate(list)
	if list.Witness != nil {
		o.Foot(*list.Witness)
	}
	return nil
}

func (o *TransitionListOptions) narrate(list *client.TransitionList) {
	switch {
	case list.Truncated:
		o.Narrate("there are more: the newest %d are shown", len(list.Transitions))
	case len(list.Transitions) > 0:
	case list.Witness != nil && list.Witness.ServedToken.IsZero():
		o.Narrate("the server that answered has no view of the root yet")
	case o.Parent != "":
		o.Narrate("%s has no steps of its own", output.Clean(o.Parent))
	case o.Pending:
		o.Narrate("no transition pends")
	default:
		o.Narrate("there are no transitions; those that ended are kept for 7 days")
	}
}

func (o *TransitionListOptions) table(list *client.TransitionList, wide bool) error {
	columns := []string{"ID", "KIND", "TARGET", "PHASE", "AGE", "ACTOR", "REASON"}
	if wide {
		columns = append(columns, "TOOK", "EXECUTOR", "ATTEMPTS", "PARENT", "MESSAGE")
	}
	table := output.NewTable(o.Out, o.OutPalette(), columns...).States()
	for i := range list.Transitions {
		t := &list.Transitions[i]
		age := output.Span(time.Duration(max(0, list.ClusterTime-t.Times.Planned)))
		cells := []string{t.ID, t.Kind, targetText(t), phaseText(t), age, t.Actor, string(t.Reason)}
		if wide {
			cells = append(cells, tookText(t), t.Executor, count(uint64(t.Attempts)), t.Parent, t.Message)
		}
		table.Row(cells...)
	}
	return table.Flush()
}
