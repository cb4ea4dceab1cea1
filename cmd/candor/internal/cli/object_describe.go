package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/merge"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// DescribeOptions are those of `candor describe`.
type DescribeOptions struct {
	*Factory
	Args []string
}

// NewCmdDescribe returns `candor describe`.
func NewCmdDescribe(f *Factory, run func(context.Context, *DescribeOptions) error) *cobra.Command {
	o := &DescribeOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "describe " + targetUse, Short: "Show everything about objects, for people",
		Long:              "Show everything about objects, for people: what is asked of them, what is, who\nmade the present version and why, and the versions before it.",
		Example:           "candor describe widget web\ncandor describe widget/web namespace/default",
		Args:              arguments(1, -1, "objects: KIND NAME or KIND/NAME"),
		ValidArgsFunction: f.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Args = args
			return runs(run, runDescribe)(cmd.Context(), o)
		},
	}
	return remotely(cmd, flagNamespace, flagRead, flagStale, flagAt)
}

func runDescribe(ctx context.Context, o *DescribeOptions) error {
	reading, err := o.Flags.reading()
	if err != nil {
		return err
	}
	targets, err := o.targets(ctx, o.Args)
	if err != nil {
		return err
	}
	if len(targets[0].Refs) == 0 {
		return try(usage("describe which %s? give names", targets[0].Kind.Names.Plural), "candor get "+targets[0].Kind.Names.Plural)
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	failures := outcomes{f: o.Factory}
	shown := 0
	for _, target := range targets {
		for _, ref := range target.Refs {
			object, w, err := remote.Reader.Get(ctx, ref, reading.options()...)
			if candor.ReasonOf(err) == candor.ReasonNotFound {
				err = try(err, "candor get "+target.Kind.Names.Plural+inNamespace(ref.Namespace))
			}
			if err != nil {
				failures.refuse("describe "+ref.String(), err)
				continue
			}
			if shown > 0 {
				if _, err := io.WriteString(o.Out, "\n"); err != nil {
					return internal("describe", err)
				}
			}
			shown++
			if err := o.describe(ctx, remote.Reader, target.Kind, ref, object, reading); err != nil {
				return err
			}
			o.footAt(w, reading)
		}
	}
	return failures.end()
}

// mostDescribed is how many versions describe lists.
const mostDescribed = 5

func (o *DescribeOptions) describe(ctx context.Context, reader Reader, kind Kind, ref candor.Ref, object *candor.Object, reading Reading) error {
	facts := output.NewFacts(o.Out, o.OutPalette())
	o.identity(facts, kind, object)
	if err := facts.Flush(); err != nil {
		return internal("describe", err)
	}
	for _, part := range []struct {
		title string
		text  json.RawMessage
	}{{"Spec", object.Spec}, {"Status", withoutConditions(object.Status)}, {"Observed", object.Observed}} {
		if err := o.section(part.title, part.text); err != nil {
			return internal("describe", err)
		}
	}
	if err := o.conditions(object.Status); err != nil {
		return internal("describe", err)
	}
	history, err := reader.History(ctx, ref, reading.options()...)
	if err != nil {
		o.Narrate("the versions before are not shown: %v", err)
		return nil
	}
	older := slices.IndexFunc(history.Versions, func(v client.Version) bool { return v.Revision <= object.Metadata.ResourceVersion })
	if older < 0 {
		return nil
	}
	versions := history.Versions[older:]
	if _, err := fmt.Fprintf(o.Out, "%s\n", o.OutPalette().Heading("Versions:")); err != nil {
		return internal("describe", err)
	}
	if err := versionTable(o.Factory, versions, min(len(versions), mostDescribed)); err != nil {
		return internal("describe", err)
	}
	if hidden := len(versions) - mostDescribed; hidden > 0 {
		o.Narrate("%d more: candor history %s", hidden, ref)
	}
	return nil
}

func (o *DescribeOptions) identity(facts *output.Facts, kind Kind, object *candor.Object) {
	m := object.Metadata
	facts.Add("Name", m.Name)
	facts.Add("Namespace", m.Namespace)
	facts.Add("Kind", kind.Names.Kind+" ("+kind.APIVersion()+")")
	facts.Add("UID", m.UID)
	facts.Add("Revision", revisionText(m.ResourceVersion))
	facts.Add("Generation", revisionText(m.Generation))
	facts.Add("Created", o.when(m.CreationTime))
	facts.Add("Deleted", o.when(m.DeletionTime))
	facts.Add("Labels", pairs(m.Labels))
	annotations := maps.Clone(m.Annotations)
	delete(annotations, merge.Annotation)
	facts.Add("Annotations", pairs(annotations))
	var owners []string
	for _, owner := range m.Owners {
		owners = append(owners, ownerText(owner))
	}
	facts.Add("Owners", strings.Join(owners, "\n"))
	facts.Add("Finalizers", strings.Join(m.Finalizers, "\n"))
	if object.Cause != nil {
		facts.Add("Cause", because(*object.Cause))
	}
}

// because is a cause in one sentence.
func because(c candor.Cause) string {
	text := "by " + c.Actor
	if c.Reason != "" {
		text = c.Reason + " " + text
	}
	if c.Duty != "" {
		text += fmt.Sprintf(", duty %s, era %d", c.Duty, c.Era)
	}
	if c.Message != "" {
		text += ": " + c.Message
	}
	if !c.ReadToken.IsZero() {
		text += fmt.Sprintf(" (had read %s)", output.Position(c.ReadToken))
	}
	if c.Because != nil {
		text += fmt.Sprintf("\nbecause of %s at revision %d", c.Because.Ref, c.Because.Revision)
	}
	return text
}

func (o *DescribeOptions) when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return fmt.Sprintf("%s (%s ago, by the leader's clock)", t.UTC().Format(time.RFC3339), output.Age(o.Now(), t))
}

func pairs(m map[string]string) string {
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		lines = append(lines, key+"="+m[key])
	}
	return strings.Join(lines, "\n")
}

func (o *DescribeOptions) section(title string, text json.RawMessage) error {
	if len(text) == 0 || string(text) == "{}" {
		return nil
	}
	shown, err := output.YAML(text)
	if err != nil {
		return err
	}
	var out strings.Builder
	out.WriteString(o.OutPalette().Heading(title+":") + "\n")
	for line := range strings.Lines(shown) {
		out.WriteString("  " + output.Clean(strings.TrimSuffix(line, "\n")) + "\n")
	}
	_, err = io.WriteString(o.Out, out.String())
	return err
}

type condition struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

func conditionsOf(status json.RawMessage) []condition {
	var parts struct {
		Conditions []condition `json:"conditions"`
	}
	// A status of another form has no conditions to show; it is shown whole.
	if err := json.Unmarshal(status, &parts); err != nil {
		return nil
	}
	return parts.Conditions
}

func (o *DescribeOptions) conditions(status json.RawMessage) error {
	found := conditionsOf(status)
	if len(found) == 0 {
		return nil
	}
	if _, err := fmt.Fprintf(o.Out, "%s\n", o.OutPalette().Heading("Conditions:")); err != nil {
		return err
	}
	table := output.NewTable(o.Out, o.OutPalette(), "TYPE", "STATUS", "REASON", "MESSAGE")
	for _, c := range found {
		table.Row(c.Type, c.Status, c.Reason, c.Message)
	}
	return table.Flush()
}

// withoutConditions leaves out what conditions shows.
func withoutConditions(status json.RawMessage) json.RawMessage {
	if len(conditionsOf(status)) == 0 {
		return status
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(status, &parts); err != nil {
		return status
	}
	delete(parts, "conditions")
	rest, err := json.Marshal(parts)
	if err != nil {
		return status
	}
	return rest
}
