package cli

import (
	"context"
	"io"
	"maps"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/merge"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// DiffOptions are those of `candor diff`.
type DiffOptions struct {
	*Factory
	ManifestOptions
}

// NewCmdDiff returns `candor diff`.
func NewCmdDiff(f *Factory, run func(context.Context, *DiffOptions) error) *cobra.Command {
	o := &DiffOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "diff -f FILE", Short: "Show what apply would change",
		Long: `Show what apply would change, as a unified diff of what is there and what would
be. The server runs every check and fills in defaults, and changes nothing.

Exit code 0: nothing would change. 10: something would.`,
		Example:           "candor diff -f web.yaml\ncandor diff -f examples/ -R",
		Args:              arguments(0, 0, "no arguments; -f names the manifests"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return runs(run, runDiff)(cmd.Context(), o) },
	}
	o.register(cmd)
	return remotely(cmd, flagNamespace)
}

func runDiff(ctx context.Context, o *DiffOptions) error {
	items, err := o.plan(ctx, o.ManifestOptions)
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	a := applier{Factory: o.Factory, remote: remote, dryRun: dryRunServer, coming: map[candor.Ref]bool{}}
	failures := outcomes{f: o.Factory}
	differ := false
	for _, item := range items {
		before, _, err := remote.Reader.Get(ctx, item.ref, client.WithFreshness(candor.FreshnessStrong))
		if err != nil && candor.ReasonOf(err) != candor.ReasonNotFound && !a.bringsKind(item) {
			failures.refuse("diff "+item.ref.String()+" with "+item.document.Source, placed(item.document, err))
			continue
		}
		change, err := a.apply(ctx, item)
		if err != nil {
			failures.refuse("diff "+item.ref.String()+" with "+item.document.Source, err)
			continue
		}
		if change.unchecked != "" {
			o.Narrate("%s is not checked by the server: %s", item.ref, change.unchecked)
		}
		found, err := o.compare(item, before, change.object)
		if err != nil {
			return internal("diff", err)
		}
		differ = differ || found
	}
	if err := failures.end(); err != nil {
		return err
	}
	if differ {
		return &ended{exit: candor.ExitDifferent}
	}
	o.Narrate("nothing would change")
	return nil
}

// bringsKind says whether the object's kind is only about to be.
func (a *applier) bringsKind(item planned) bool {
	for _, need := range item.needs {
		if a.coming[need] {
			return true
		}
	}
	return false
}

// compare writes the difference of two versions; before may be nil.
func (o *DiffOptions) compare(item planned, before, after *candor.Object) (differ bool, err error) {
	was := ""
	if before != nil {
		if was, err = sayable(before); err != nil {
			return false, err
		}
	}
	is, err := sayable(after)
	if err != nil {
		return false, err
	}
	text := diff.Diff(item.ref.String(), []byte(was), item.document.Source, []byte(is))
	if len(text) == 0 {
		return false, nil
	}
	palette := o.OutPalette()
	title := palette.Heading("--- "+item.ref.String()) + "\n" + palette.Heading("+++ "+item.document.Place("")) + "\n"
	_, err = io.WriteString(o.Out, title+coloured(palette, string(text)))
	return true, err
}

// sayable is the part of an object that a manifest can say, as text.
func sayable(o *candor.Object) (string, error) {
	part := *o
	m := o.Metadata
	part.Metadata = candor.Metadata{
		Name: m.Name, Namespace: m.Namespace, Labels: m.Labels,
		Annotations: maps.Clone(m.Annotations), Owners: m.Owners, Finalizers: m.Finalizers,
	}
	delete(part.Metadata.Annotations, merge.Annotation)
	part.Status, part.Observed = nil, nil
	return output.YAML(part)
}
