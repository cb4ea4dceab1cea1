package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// ApplyOptions are those of `candor apply`.
type ApplyOptions struct {
	*Factory
	ManifestOptions
	DryRun dryRun
	// IfRevision is the version to be changed: nil for any, 0 for none.
	IfRevision *uint64
}

// dryRun is how much of an apply is done: all, all but the write, or the whole
// on the server but for the change.
type dryRun string

const (
	dryRunNone   dryRun = "none"
	dryRunClient dryRun = "client"
	dryRunServer dryRun = "server"
)

// NewCmdApply returns `candor apply`.
func NewCmdApply(f *Factory, run func(context.Context, *ApplyOptions) error) *cobra.Command {
	o := &ApplyOptions{Factory: f}
	var mode string
	var revision uint64
	cmd := &cobra.Command{
		Use: "apply -f FILE", Short: "Create or change objects as manifests say",
		Long: `Create or change objects as manifests say. A field that a manifest names gets
its value, one that an earlier manifest named and this one does not is removed,
and all others stay as they are. Lists are replaced whole.

Everything is read and checked before anything is written. Kinds come first,
then namespaces, then the rest.`,
		Example: `candor apply -f web.yaml
candor apply -f examples/ -R
cat web.yaml | candor apply -f -
candor apply -f web.yaml --dry-run=server
candor apply -f web.yaml --if-revision 977`,
		Args:              arguments(0, 0, "no arguments; -f names the manifests"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.DryRun = dryRun(mode)
			if cmd.Flags().Changed("if-revision") {
				o.IfRevision = &revision
			}
			return runs(run, runApply)(cmd.Context(), o)
		},
	}
	o.register(cmd)
	cmd.Flags().StringVar(&mode, "dry-run", string(dryRunNone), "change nothing: client works out what would change, server also runs every check (`mode` none, client or server)")
	cmd.Flags().Uint64Var(&revision, "if-revision", 0, "only if the object is at this `revision`, its resourceVersion; 0: only if there is none")
	return remotely(cmd, flagNamespace, flagOutput)
}

func runApply(ctx context.Context, o *ApplyOptions) error {
	switch o.DryRun {
	case dryRunNone, dryRunClient, dryRunServer:
	default:
		return usage("--dry-run %q: want none, client or server", o.DryRun)
	}
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	items, err := o.plan(ctx, o.ManifestOptions)
	if err != nil {
		return err
	}
	if o.IfRevision != nil && len(items) > 1 {
		return usage("--if-revision is of one object; the manifests hold %d", len(items))
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	a := applier{Factory: o.Factory, remote: remote, dryRun: o.DryRun, ifRevision: o.IfRevision, coming: map[candor.Ref]bool{}}
	failures := outcomes{f: o.Factory}
	var done []*candor.Object
	var last client.Result
	for i, item := range items {
		if m := item.document.Object; m.Status != nil || m.Observed != nil {
			o.Narrate("%s: status is left out: controllers and observers write it", item.document.Place("status"))
		}
		change, err := a.apply(ctx, item)
		if err != nil {
			failures.refuse("apply "+item.ref.String()+" from "+item.document.Source, err)
			if hopeless(err) {
				failures.left(len(items) - i - 1)
				break
			}
			continue
		}
		if change.written && change.result.Token.Index >= last.Token.Index {
			last = change.result
		}
		done = append(done, change.object)
		if err := o.tellChange(format, item, change); err != nil {
			return internal("apply", err)
		}
	}
	if err := documents(format, o.Out, done, len(items) > 1); err != nil {
		return internal("apply", err)
	}
	if !last.Token.IsZero() {
		o.Narrate("%s", o.ErrPalette().States(output.Accepted(last.Token, last.Witness)))
	}
	return failures.end()
}

// tellChange writes one line for what became of an object.
func (o *ApplyOptions) tellChange(format output.Format, item planned, c change) error {
	if format.Structured() {
		return nil
	}
	if format == output.NameFormat {
		_, err := fmt.Fprintf(o.Out, "%s/%s\n", item.kind.singular(), item.ref.Name)
		return err
	}
	note := map[dryRun]string{dryRunNone: "", dryRunClient: " (client dry run)", dryRunServer: " (server dry run)"}[o.DryRun]
	if c.unchecked != "" {
		note = " (server dry run, not checked: " + c.unchecked + ")"
	}
	_, err := fmt.Fprintf(o.Out, "%s %s%s\n", o.line(item.kind, item.ref), c.verb, note)
	return err
}
