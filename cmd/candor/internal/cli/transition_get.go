package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// TransitionGetOptions are those of `candor transition get`.
type TransitionGetOptions struct {
	*Factory
	ID string
	On string
}

// NewCmdTransitionGet returns `candor transition get`.
func NewCmdTransitionGet(f *Factory, run func(context.Context, *TransitionGetOptions) error) *cobra.Command {
	o := &TransitionGetOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "get ID", Short: "Show a transition: its phases, its steps, why it stands still or failed",
		Long: `Show a transition: who asked for it, when each phase began after the plan, its
steps, and why it stands still or failed. Times are cluster time. The server that
carries it out is asked where it can be found: others do not know how far it is.`,
		Example:           "candor transition get member-replace-9f86d081884c7d659a2feaa0",
		Args:              arguments(1, 1, "the ID of one transition"),
		ValidArgsFunction: f.completeTransition(false),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.ID = args[0]
			return runs(run, runTransitionGet)(cmd.Context(), o)
		},
	}
	seenFrom(f, cmd, &o.On)
	return remotely(cmd, flagOutput)
}

type transitionDocument struct {
	client.Transition
	// Steps are the transitions that it is the parent of, in the order of their plans.
	Steps       []client.Transition `json:"steps"`
	ClusterTime int64               `json:"clusterTime,string"`
	names       names
}

func runTransitionGet(ctx context.Context, o *TransitionGetOptions) error {
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
	found, err := remote.Transitions.Get(ctx, o.ID, options...)
	if err != nil {
		return gone(err)
	}
	all, err := remote.Transitions.List(ctx, false, options...)
	if err != nil {
		return err
	}
	d := transitionDocument{Transition: found.Transitions[0], ClusterTime: found.ClusterTime, Steps: []client.Transition{}}
	for _, t := range slices.Backward(all.Transitions) {
		if t.Parent == d.ID {
			d.Steps = append(d.Steps, t)
		}
	}
	switch {
	case format.Structured():
		err = format.Document(o.Out, d)
	case format == output.NameFormat:
		_, err = fmt.Fprintln(o.Out, output.Clean(d.ID))
	default:
		d.names = o.memberNamesByID(ctx, remote)
		err = o.show(&d)
	}
	if err != nil {
		return internal("transition get", err)
	}
	if found.Witness != nil {
		o.Foot(*found.Witness)
	}
	return nil
}

// gone says where the others are.
func gone(err error) error {
	if candor.ReasonOf(err) == candor.ReasonNotFound {
		return try(err, "candor transition list")
	}
	return err
}

func (o *TransitionGetOptions) show(d *transitionDocument) error {
	facts := output.NewFacts(o.Out, o.OutPalette())
	facts.Add("Transition", d.ID)
	facts.Add("Does", d.names.deed(&d.Transition))
	facts.Add("Target", d.target())
	facts.Add("Phase", phaseText(&d.Transition))
	facts.Add("Planned", d.planned())
	if intentOf(&d.Transition).Force {
		facts.Add("Forced", orNothing(d.PlanMessage))
	} else {
		facts.Add("Said", d.PlanMessage)
	}
	facts.Add("Step of", d.Parent)
	facts.Add("Admitted", d.after(d.Times.Admitted, "by "+d.executor()))
	facts.Add("Executing", d.after(d.Times.Executing, ""))
	facts.Add("Applied", d.after(d.Times.Applied, ""))
	facts.Add("Ended", d.ended())
	if d.Attempts > 0 {
		facts.Add("Attempts", count(uint64(d.Attempts))+" failed")
	}
	facts.Add(d.why(), strings.TrimPrefix(strings.TrimSuffix(string(d.Reason)+": "+d.Message, ": "), ": "))
	if d.PublishState == "PUBLISH_FAILED" {
		facts.Add("Publish", "PUBLISH_FAILED: the root refused its end; it is tried again")
	}
	if s := d.Stalled; s != nil {
		facts.Add("Stalled", s.Cause+": "+d.Phase+" for "+output.Span(time.Duration(max(0, d.ClusterTime-s.Since)))+", "+
			output.Span(time.Duration(max(0, d.ClusterTime-s.Deadline)))+" past the deadline")
		facts.Add("Next", d.next())
	}
	facts.Add("Replaced by", d.SupersededBy)
	if err := facts.Flush(); err != nil || len(d.Steps) == 0 {
		return err
	}
	if _, err := fmt.Fprintln(o.Out); err != nil {
		return err
	}
	table := output.NewTable(o.Out, o.OutPalette(), "STEP", "DOES", "PHASE", "BEGAN", "TOOK", "REASON").States()
	for i := range d.Steps {
		t := &d.Steps[i]
		table.Row(t.ID, d.names.deed(t), phaseText(t), "+"+output.Span(time.Duration(max(0, t.Times.Planned-d.Times.Planned))), tookText(t), string(t.Reason))
	}
	return table.Flush()
}

func (d *transitionDocument) target() string {
	name := d.TargetName
	if name == "" {
		name = d.names[d.Target]
	}
	if name == "" {
		return d.Target
	}
	return name + " (" + d.Target + ")"
}

func (d *transitionDocument) planned() string {
	text := since(d.ClusterTime, d.Times.Planned)
	if d.Actor != "" {
		text += " by " + d.Actor
	}
	if d.PlanReason != "" {
		text += " (" + d.PlanReason + ")"
	}
	if d.ConfigurationIndex != 0 {
		text += ", for configuration " + count(d.ConfigurationIndex)
	}
	return text
}

func (d *transitionDocument) executor() string {
	id, isServer := strings.CutPrefix(d.Executor, string(candor.PartyServer)+"/")
	if isServer {
		return d.names.of(id)
	}
	return d.Executor
}

// after is when a phase began, relative to the plan.
func (d *transitionDocument) after(at int64, more string) string {
	if at == 0 {
		return ""
	}
	return strings.TrimSpace(output.Span(time.Duration(max(0, at-d.Times.Planned))) + " after the plan " + more)
}

func (d *transitionDocument) ended() string {
	if !d.Ended() {
		return ""
	}
	return d.Phase + ", " + d.after(d.Times.Ended, "")
}

// why is what the reason is of.
func (d *transitionDocument) why() string {
	switch {
	case !d.Ended():
		return "Last attempt"
	case d.Succeeded():
		return "Because"
	default:
		return "Why"
	}
}

// next is what moves a transition that stands still.
func (d *transitionDocument) next() string {
	switch d.Stalled.NextAction {
	case "AWAIT_HOLDER":
		return "AWAIT_HOLDER: nobody holds duty " + dutyTopology + "; candor tenure get " + dutyTopology
	case "OPERATOR":
		return "OPERATOR: it moves no more by itself; mend what the last attempt says, or candor transition cancel " + d.ID
	default:
		return d.Stalled.NextAction + ": the holder of duty " + dutyTopology + " goes on by itself; to give it up: candor transition cancel " + d.ID
	}
}

func orNothing(risk string) string {
	if risk == "" {
		return "yes, and there was nothing to override"
	}
	return risk
}
