package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// NewCmdDecision returns `candor decision` and its commands.
func NewCmdDecision(f *Factory) *cobra.Command {
	return newGroup("decision", "Look at decisions about placements, and take them again", NewCmdDecisionGet(f, nil), NewCmdDecisionReplay(f, nil))
}

// which is the decision that the arguments name: an ID, or an instance.
func (f *Factory) which(ctx context.Context, args []string) (client.WhichDecision, error) {
	if len(args) == 1 && !strings.Contains(args[0], "/") {
		return client.WhichDecision{ID: args[0]}, nil
	}
	kind, ref, err := f.object(ctx, args)
	if err != nil {
		return client.WhichDecision{}, err
	}
	if ref.Kind != candor.KindInstances {
		return client.WhichDecision{}, usage("decisions are about instances, not about objects of kind %s", kind.Names.Kind)
	}
	return client.WhichDecision{Instance: ref}, nil
}

// DecisionOptions are those of `candor decision get` and `candor decision replay`.
type DecisionOptions struct {
	*Factory
	Args []string
}

// decisionQuestion is what both ask.
type decisionQuestion struct {
	remote  *Remote
	which   client.WhichDecision
	options []client.ReadOption
	format  output.Format
}

func (o *DecisionOptions) question(ctx context.Context) (q decisionQuestion, err error) {
	reading, err := o.Flags.reading()
	if err != nil {
		return q, err
	}
	q.options = reading.options()
	if q.format, err = o.Flags.format(); err != nil {
		return q, err
	}
	if q.which, err = o.which(ctx, o.Args); err != nil {
		return q, err
	}
	q.remote, err = o.Remote()
	return q, err
}

// decisionFacts are a decision for people.
func (f *Factory) decisionFacts(d *client.Decided) *output.Facts {
	x := d.Decision
	facts := output.NewFacts(f.Out, f.OutPalette())
	facts.Add("Decision", x.ID)
	facts.Add("Verdict", decidedText(x))
	facts.Add("Instance", fmt.Sprintf("%s, version %d; stored with version %d", d.Version.Ref, x.Instance, d.Version.Revision))
	facts.Add("State", fmt.Sprintf("%s, place %d of its batch", x.Token, x.Place))
	facts.Add("Algorithm", count(uint64(max(0, x.Algorithm))))
	facts.Add("Nodes", considered(x))
	best := make([]string, len(x.Best))
	for i, c := range x.Best {
		best[i] = fmt.Sprintf("%s, score %d", c.Node, c.Score)
	}
	facts.Add("Best", strings.Join(best, "\n"))
	for _, text := range outcomeLines(x) {
		label, value, _ := strings.Cut(text, ": ")
		facts.Add(label, value)
	}
	facts.Add("Digest", x.Digest)
	return facts
}

func decidedText(d *candor.Decision) string {
	text := string(d.Verdict)
	if d.Node != "" {
		text += " on " + d.Node
	}
	return text
}

func considered(d *candor.Decision) string {
	parts := []string{fmt.Sprintf("%d considered", d.Considered)}
	for _, r := range d.Reasons {
		parts = append(parts, fmt.Sprintf("%d %s", r.Nodes, r.Reason))
	}
	return strings.Join(parts, ", ")
}

func noDecision(err error) error {
	if candor.ReasonOf(err) == candor.ReasonNotFound {
		return try(err, "candor get instances", "candor why instance/NAME")
	}
	return err
}
