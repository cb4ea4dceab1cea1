package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/merge"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// HistoryOptions are those of `candor history`.
type HistoryOptions struct {
	*Factory
	Args   []string
	Diff   bool
	Fields bool
}

// NewCmdHistory returns `candor history`.
func NewCmdHistory(f *Factory, run func(context.Context, *HistoryOptions) error) *cobra.Command {
	o := &HistoryOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "history KIND NAME", Short: "Show the versions of an object, who made them and why",
		Long: `Show the versions of an object that are kept, newest first: what changed, who
changed it and why. Versions of objects that are gone are shown too.`,
		Example:           "candor history widget web\ncandor history widget/web --diff\ncandor history widget/web --fields\ncandor get widget web --at 977      the object as it was then",
		Args:              arguments(1, 2, "one object: KIND NAME or KIND/NAME"),
		ValidArgsFunction: f.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Args = args
			return runs(run, runHistory)(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.Diff, "diff", false, "show what each version changed, line by line")
	cmd.Flags().BoolVar(&o.Fields, "fields", false, "show what each version changed, field by field, and what led to it")
	return remotely(cmd, flagNamespace, flagRead, flagStale, flagOutput)
}

type historyDocument struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Object     candor.Ref     `json:"object"`
	Floor      uint64         `json:"floor"`
	Witness    candor.Witness `json:"witness"`
	Items      []pastVersion  `json:"items"`
}

type pastVersion struct {
	Revision uint64   `json:"revision"`
	Deleted  bool     `json:"deleted,omitempty"`
	Changed  []string `json:"changed"`
	// Fields are those that differ from the version before; none where that is not kept.
	Fields []candor.FieldChange `json:"fields,omitempty"`
	Cause  *candor.Cause        `json:"cause,omitempty"`
	Object *candor.Object       `json:"object,omitempty"`
}

func runHistory(ctx context.Context, o *HistoryOptions) error {
	if o.Diff && o.Fields {
		return usage("--diff and --fields exclude each other")
	}
	reading, err := o.Flags.reading()
	if err != nil {
		return err
	}
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	kind, ref, err := o.object(ctx, o.Args)
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	h, err := remote.Reader.History(ctx, ref, reading.options()...)
	if candor.ReasonOf(err) == candor.ReasonNotFound {
		return try(err, "candor get "+kind.Names.Plural+inNamespace(ref.Namespace))
	}
	if err != nil {
		return err
	}
	switch {
	case format.Structured():
		err = format.Document(o.Out, historyOf(ref, h))
	case format == output.NameFormat:
		_, err = fmt.Fprintf(o.Out, "%s/%s\n", kind.singular(), ref.Name)
	case o.Diff:
		err = o.differences(h.Versions)
	case o.Fields:
		err = o.fields(h.Versions)
	default:
		err = versionTable(o.Factory, h.Versions, len(h.Versions))
	}
	if err != nil {
		return internal("history", err)
	}
	if h.Floor > 0 {
		o.Narrate("versions before revision %d may have been compacted", h.Floor)
	}
	o.Foot(h.Witness)
	return nil
}

func historyOf(ref candor.Ref, h *client.History) historyDocument {
	d := historyDocument{APIVersion: candor.APIVersion, Kind: "History", Object: ref, Floor: h.Floor, Witness: h.Witness, Items: []pastVersion{}}
	for i, v := range h.Versions {
		item := pastVersion{Revision: v.Revision, Deleted: v.Deleted, Changed: changed(h.Versions, i), Fields: fieldChanges(h.Versions, i), Object: v.Object}
		if v.Object != nil {
			item.Cause = v.Object.Cause
		}
		d.Items = append(d.Items, item)
	}
	return d
}

// versionTable lists the first few versions; those after them are compared
// with.
func versionTable(f *Factory, versions []client.Version, most int) error {
	table := output.NewTable(f.Out, f.OutPalette(), "REVISION", "GENERATION", "CHANGED", "ACTOR", "REASON", "MESSAGE")
	for i, v := range versions[:most] {
		generation, actor, reason, message := "", "", "", ""
		if v.Object != nil {
			generation = revisionText(v.Object.Metadata.Generation)
			if cause := v.Object.Cause; cause != nil {
				actor, reason, message = cause.Actor, cause.Reason, cause.Message
			}
		}
		table.Row(revisionText(v.Revision), generation, strings.Join(changed(versions, i), ","), actor, reason, message)
	}
	return table.Flush()
}

// changed says which parts version i changed, none where that is not known:
// the version before the oldest may be compacted.
func changed(versions []client.Version, i int) []string {
	v := versions[i]
	switch {
	case v.Deleted:
		return []string{"deleted"}
	case v.Object == nil:
		return []string{}
	case v.Object.Metadata.CreateRevision == v.Revision:
		return []string{"created"}
	case i+1 == len(versions) || versions[i+1].Object == nil || versions[i+1].Deleted:
		return []string{}
	}
	now, was := v.Object, versions[i+1].Object
	parts := []string{}
	for _, part := range []struct {
		name string
		same bool
	}{
		{"spec", bytes.Equal(now.Spec, was.Spec)},
		{"labels", maps.Equal(now.Metadata.Labels, was.Metadata.Labels)},
		{"annotations", maps.Equal(now.Metadata.Annotations, was.Metadata.Annotations)},
		{"owners", slices.Equal(now.Metadata.Owners, was.Metadata.Owners)},
		{"finalizers", slices.Equal(now.Metadata.Finalizers, was.Metadata.Finalizers)},
		{"deletion", now.Terminating() == was.Terminating()},
		{"status", bytes.Equal(now.Status, was.Status)},
		{"observed", bytes.Equal(now.Observed, was.Observed)},
	} {
		if !part.same {
			parts = append(parts, part.name)
		}
	}
	return parts
}

func (o *HistoryOptions) differences(versions []client.Version) error {
	palette := o.OutPalette()
	for i, v := range versions {
		if err := o.title(versions, i); err != nil {
			return err
		}
		if v.Deleted {
			continue
		}
		was := ""
		if i+1 < len(versions) && !versions[i+1].Deleted {
			var err error
			if was, err = whole(versions[i+1].Object); err != nil {
				return err
			}
		}
		is, err := whole(v.Object)
		if err != nil {
			return err
		}
		text := coloured(palette, string(diff.Diff("before", []byte(was), "after", []byte(is))))
		if _, err := io.WriteString(o.Out, text); err != nil {
			return err
		}
	}
	return nil
}

// title is the line above what a version changed: by whom, and why.
func (o *HistoryOptions) title(versions []client.Version, i int) error {
	v := versions[i]
	title := []string{fmt.Sprintf("revision %d", v.Revision)}
	if parts := changed(versions, i); len(parts) > 0 {
		title = append(title, strings.Join(parts, ", "))
	}
	if v.Object != nil && v.Object.Cause != nil {
		title = append(title, strings.ReplaceAll(because(*v.Object.Cause), "\n", ", "))
	}
	_, err := fmt.Fprintln(o.Out, o.OutPalette().Heading(output.Clean(strings.Join(title, " · "))))
	return err
}

// fields shows what each version changed, field by field.
func (o *HistoryOptions) fields(versions []client.Version) error {
	for i := range versions {
		if err := o.title(versions, i); err != nil {
			return err
		}
		for _, c := range fieldChanges(versions, i) {
			if _, err := fmt.Fprintln(o.Out, "  "+output.Clean(c.String())); err != nil {
				return err
			}
		}
	}
	return nil
}

// fieldChanges are those of version i, none where the version before is not kept, and
// none of one that began or ended the object.
func fieldChanges(versions []client.Version, i int) []candor.FieldChange {
	v := versions[i]
	if v.Deleted || v.Object == nil || v.Object.Metadata.CreateRevision == v.Revision || i+1 == len(versions) || versions[i+1].Object == nil || versions[i+1].Deleted {
		return nil
	}
	now, was := *v.Object, *versions[i+1].Object
	now.Metadata.Annotations, was.Metadata.Annotations = written(now.Metadata.Annotations), written(was.Metadata.Annotations)
	return candor.FieldChanges(&was, &now)
}

// written are the annotations that somebody wrote.
func written(annotations map[string]string) map[string]string {
	out := maps.Clone(annotations)
	delete(out, merge.Annotation)
	return out
}

// whole is the part of a version that somebody wrote, as text.
func whole(o *candor.Object) (string, error) {
	if o == nil {
		return "", nil
	}
	part := *o
	m := o.Metadata
	part.Metadata = candor.Metadata{
		Labels: m.Labels, Annotations: maps.Clone(m.Annotations), Owners: m.Owners, Finalizers: m.Finalizers, DeletionTime: m.DeletionTime,
	}
	delete(part.Metadata.Annotations, merge.Annotation)
	root, err := output.Decoded(part)
	if err != nil {
		return "", err
	}
	members, _ := root.(map[string]any)
	delete(members, "apiVersion")
	delete(members, "kind")
	if metadata, _ := members["metadata"].(map[string]any); len(metadata) == 0 {
		delete(members, "metadata")
	}
	return output.YAML(members)
}

// coloured are the lines of a unified diff from its first hunk on.
func coloured(palette output.Palette, text string) string {
	var out strings.Builder
	begun := false
	for line := range strings.Lines(text) {
		line = output.Clean(strings.TrimSuffix(line, "\n"))
		begun = begun || strings.HasPrefix(line, "@@")
		switch {
		case !begun:
			continue
		case strings.HasPrefix(line, "+"):
			line = palette.Added(line)
		case strings.HasPrefix(line, "-"):
			line = palette.Removed(line)
		}
		out.WriteString(line + "\n")
	}
	return out.String()
}
