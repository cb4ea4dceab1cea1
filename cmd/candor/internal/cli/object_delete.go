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

// DeleteOptions are those of `candor delete`.
type DeleteOptions struct {
	*Factory
	ManifestOptions
	Selection
	Args          []string
	Cascade       string
	Wait          bool
	IgnoreMissing bool
}

// NewCmdDelete returns `candor delete`.
func NewCmdDelete(f *Factory, run func(context.Context, *DeleteOptions) error) *cobra.Command {
	o := &DeleteOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "delete " + targetUse + " | -f FILE", Short: "Delete objects",
		Long: `Delete objects. One that finalizers hold is marked, and goes when they are
gone. Objects that it owns go after it; with --cascade=foreground those that
block its deletion go before it; with --cascade=orphan all stay without an owner.`,
		Example: `candor delete widget web
candor delete -f examples/
candor delete widgets -l app=shop
candor delete namespace shop --wait --timeout 30s`,
		ValidArgsFunction: f.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Args = args
			return runs(run, runDelete)(cmd.Context(), o)
		},
	}
	o.ManifestOptions.register(cmd)
	o.Selection.register(cmd, "delete")
	cmd.Flags().StringVar(&o.Cascade, "cascade", "background", "what becomes of owned objects: background deletes them after it, foreground before it, orphan lets them stay (`mode` background, foreground or orphan)")
	cmd.Flags().BoolVar(&o.Wait, "wait", false, "wait until the objects are gone")
	cmd.Flags().BoolVar(&o.IgnoreMissing, "ignore-not-found", false, "an object that is not there is no error")
	return remotely(cmd, flagNamespace, flagOutput)
}

func runDelete(ctx context.Context, o *DeleteOptions) error {
	policy, ok := map[string]candor.Propagation{
		"background": candor.PropagateBackground, "foreground": candor.PropagateForeground, "orphan": candor.PropagateOrphan,
	}[o.Cascade]
	if !ok {
		return usage("--cascade %q: want background, foreground or orphan", o.Cascade)
	}
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	if format.Structured() {
		return usage("-o %s: delete prints names; want table or name", format)
	}
	d := deleter{DeleteOptions: o, policy: policy, format: format, failures: outcomes{f: o.Factory}, until: o.Now().Add(o.Flags.timeout(waitTimeout))}
	if d.doomed, err = o.doomed(ctx); err != nil {
		return err
	}
	if d.remote, err = o.Remote(); err != nil {
		return err
	}
	if len(d.doomed) == 0 {
		o.Narrate("nothing to delete")
		return nil
	}
	if err := d.run(ctx); err != nil {
		return err
	}
	return d.failures.end()
}

// doomedObject is one object to delete.
type doomedObject struct {
	kind Kind
	ref  candor.Ref
}

// doomed are the objects that were named, chosen, or are in manifests; those
// of manifests from the last that apply makes to the first.
func (o *DeleteOptions) doomed(ctx context.Context) ([]doomedObject, error) {
	var doomed []doomedObject
	if len(o.Files) > 0 {
		if len(o.Args) > 0 || o.Every || o.Selector != "" {
			return nil, usage("-f excludes names, --selector and --all")
		}
		items, err := o.plan(ctx, o.ManifestOptions)
		for _, item := range slices.Backward(items) {
			doomed = append(doomed, doomedObject{item.kind, item.ref})
		}
		return doomed, err
	}
	if len(o.Args) == 0 {
		return nil, usage("delete what? name objects, or manifests with -f")
	}
	targets, err := o.targets(ctx, o.Args)
	if err != nil {
		return nil, err
	}
	if err := o.check(len(targets[0].Refs)); err != nil {
		return nil, err
	}
	for _, target := range targets {
		refs, err := o.chosen(ctx, target, o.Selection)
		if err != nil {
			return nil, err
		}
		for _, ref := range refs {
			doomed = append(doomed, doomedObject{target.Kind, ref})
		}
	}
	return doomed, nil
}

// deleter deletes objects one by one and tells each.
type deleter struct {
	*DeleteOptions
	remote   *Remote
	policy   candor.Propagation
	format   output.Format
	doomed   []doomedObject
	failures outcomes
	until    time.Time
	last     client.Result
}

func (d *deleter) run(ctx context.Context) error {
	waiting := make(map[candor.Ref]string)
	for i, doomed := range d.doomed {
		result, err := d.remote.Writer.Delete(ctx, doomed.ref, client.WithPropagation(d.policy), client.WithReason("DELETE", "deleted by hand"))
		switch {
		case (candor.ReasonOf(err) == candor.ReasonNotFound || candor.ReasonOf(err) == candor.ReasonUnknownKind) && d.IgnoreMissing:
			continue
		case candor.ReasonOf(err) == candor.ReasonNotFound:
			d.failures.refuse("delete "+doomed.ref.String(), try(err, "candor get "+doomed.kind.Names.Plural+inNamespace(doomed.ref.Namespace)))
			continue
		case err != nil:
			d.failures.refuse("delete "+doomed.ref.String(), err)
			if hopeless(err) {
				d.failures.left(len(d.doomed) - i - 1)
				return nil
			}
			continue
		}
		d.last = result
		if err := d.tell(doomed, result); err != nil {
			return internal("delete", err)
		}
		if !result.Removed && result.Object != nil {
			waiting[doomed.ref] = result.Object.Metadata.UID
		}
	}
	if !d.last.Token.IsZero() {
		d.Narrate("%s", d.ErrPalette().States(output.Accepted(d.last.Token, d.last.Witness)))
	}
	if !d.Wait {
		return nil
	}
	return d.wait(ctx, waiting)
}

func (d *deleter) tell(doomed doomedObject, result client.Result) error {
	if d.format == output.NameFormat {
		_, err := fmt.Fprintf(d.Out, "%s/%s\n", doomed.kind.singular(), doomed.ref.Name)
		return err
	}
	verb := "deleted"
	switch {
	case !result.Removed && !result.Changed:
		verb = "is already being deleted"
	case !result.Removed:
		verb = "marked for deletion"
	}
	if !result.Removed && result.Object != nil && len(result.Object.Metadata.Finalizers) > 0 {
		verb += ", held by " + strings.Join(result.Object.Metadata.Finalizers, ", ")
	}
	_, err := fmt.Fprintf(d.Out, "%s %s\n", d.line(doomed.kind, doomed.ref), verb)
	return err
}

// wait returns when the marked objects are gone; another object of the same
// name is not the one that was deleted.
func (d *deleter) wait(ctx context.Context, waiting map[candor.Ref]string) error {
	for _, doomed := range d.doomed {
		uid, waits := waiting[doomed.ref]
		if !waits {
			continue
		}
		a := awaiting{remote: d.remote, ref: doomed.ref, reading: Reading{Freshness: candor.FreshnessStrong}, until: d.until, now: d.Now}
		_, err := a.await(ctx, func(object *candor.Object) (bool, string) {
			if object == nil || object.Metadata.UID != uid {
				return true, ""
			}
			return false, "it is held by " + strings.Join(object.Metadata.Finalizers, ", ")
		})
		if err != nil {
			d.failures.refuse("wait until "+doomed.ref.String()+" is gone", err)
		}
	}
	return nil
}
