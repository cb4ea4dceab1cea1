package cli

import (
	"context"
	"iter"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// GetOptions are those of `candor get`.
type GetOptions struct {
	*Factory
	Args     []string
	Selector string
	Limit    uint32
	Continue string
}

// NewCmdGet returns `candor get`.
func NewCmdGet(f *Factory, run func(context.Context, *GetOptions) error) *cobra.Command {
	o := &GetOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "get KIND [NAME...] | KIND/NAME...", Short: "Show objects",
		Long: `Show objects: all of a kind, or those that are named. A kind goes by its
plural, singular or short name, or by PLURAL.GROUP.`,
		Example: `candor get namespaces
candor get widgets -A -l app=shop
candor get widget web -o yaml
candor get widgets -o jsonpath='{.items[*].metadata.name}'
candor get widgets --read=bounded:age=500ms
candor get widget/web --at 977`,
		Args:              arguments(1, -1, "a kind, then names"),
		ValidArgsFunction: f.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Args = args
			return runs(run, runGet)(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVarP(&o.Selector, "selector", "l", "", "only objects whose `labels` match, for example app=shop,tier!=test")
	cmd.Flags().Uint32Var(&o.Limit, "limit", 0, "at most this `many` objects; the answer says how to go on")
	cmd.Flags().StringVar(&o.Continue, "continue", "", "go on at the `token` where a list with --limit ended")
	return remotely(cmd, flagNamespace, flagAll, flagRead, flagStale, flagAt, flagOutput)
}

func runGet(ctx context.Context, o *GetOptions) error {
	if _, err := candor.ParseSelector(o.Selector); err != nil {
		return usage("--selector: %v", said(err))
	}
	reading, err := o.Flags.reading()
	if err != nil {
		return err
	}
	targets, err := o.targets(ctx, o.Args)
	if err != nil {
		return err
	}
	if len(targets[0].Refs) == 0 {
		return o.list(ctx, targets[0].Kind, reading)
	}
	switch {
	case o.Selector != "" || o.Limit > 0 || o.Continue != "":
		return usage("--selector, --limit and --continue are for lists; names were given")
	case o.Flags.All:
		return usage("--all-namespaces is for lists; names were given")
	}
	return o.named(ctx, targets, reading)
}

func (o *GetOptions) list(ctx context.Context, kind Kind, reading Reading) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	namespace, err := o.namespaceOf(kind)
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	list := listing{
		reader: remote.Reader, kind: kind.Name(), reading: reading, once: o.Limit > 0,
		options: client.ListOptions{Namespace: namespace, Selector: o.Selector, Limit: o.Limit, Continue: o.Continue},
	}
	first, err := list.next(ctx)
	if err != nil {
		return err
	}
	switch {
	case format.Structured():
		header := output.ListHeader{Revision: first.Revision, Witness: &first.Witness}
		if list.once {
			header.Continue = first.Continue
		}
		err = format.List(o.Out, header, list.all(ctx, first))
	case format == output.NameFormat:
		err = o.names(kind, list.all(ctx, first))
	default:
		err = o.table(kind, format.Wide(), list.all(ctx, first))
	}
	if err != nil {
		return internal("get", err)
	}
	if list.seen == 0 && !format.Structured() {
		o.Narrate("no %s%s", kind.Names.Plural, within(namespace))
	}
	if list.once && first.Continue != "" {
		o.Narrate("there is more: --continue %s", first.Continue)
	}
	o.footAt(list.witness, reading)
	return nil
}

// within says where, for a sentence.
func within(namespace string) string {
	if namespace == "" {
		return ""
	}
	return " in namespace " + namespace
}

func (o *GetOptions) names(kind Kind, objects iter.Seq2[*candor.Object, error]) error {
	for object, err := range objects {
		if err != nil {
			return err
		}
		if err := name(o.Out, kind, object, o.Flags.All); err != nil {
			return err
		}
	}
	return nil
}

// table writes what came before an error too: it is told after the rows.
func (o *GetOptions) table(kind Kind, wide bool, objects iter.Seq2[*candor.Object, error]) error {
	columns := output.NewColumns(kind.PrinterColumns, wide, o.Now())
	columns.Namespace = o.Flags.All && kind.Namespaced()
	var table *output.Table
	var failed error
	for object, err := range objects {
		if err != nil {
			failed = err
			break
		}
		if table == nil {
			table = output.NewTable(o.Out, o.OutPalette(), columns.Names()...)
		}
		table.Row(columns.Cells(object)...)
	}
	if table != nil {
		if err := table.Flush(); err != nil {
			return err
		}
	}
	return failed
}

// footAt is the footer of a read that may be of an older state.
func (f *Factory) footAt(w candor.Witness, reading Reading) {
	if reading.AtRevision > 0 {
		f.weakened(w)
		f.Narrate("the state at revision %d, read %s", reading.AtRevision, f.ErrPalette().States(output.Footer(w)))
		return
	}
	f.Foot(w)
}

// named reads objects one by one, all at the revision of the first answer, so
// that they are of one state.
func (o *GetOptions) named(ctx context.Context, targets []Target, reading Reading) error {
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	one := len(targets) == 1 && len(targets[0].Refs) == 1
	failures := outcomes{f: o.Factory}
	header := output.ListHeader{}
	var all []*candor.Object
	for _, target := range targets {
		var found []*candor.Object
		for _, ref := range target.Refs {
			object, w, err := remote.Reader.Get(ctx, ref, reading.options()...)
			if candor.ReasonOf(err) == candor.ReasonNotFound {
				err = try(err, "candor get "+target.Kind.Names.Plural+inNamespace(ref.Namespace))
			}
			if err != nil && one {
				return err
			}
			if err != nil {
				failures.refuse("candor get "+target.Kind.singular()+" "+ref.Name+inNamespace(ref.Namespace), err)
				continue
			}
			if header.Witness == nil {
				header = output.ListHeader{Revision: w.ServedToken.Revision, Witness: &w}
				if reading.AtRevision == 0 {
					reading.AtRevision = w.ServedToken.Revision
				}
				header.Revision = reading.AtRevision
			}
			found = append(found, object)
		}
		all = append(all, found...)
		if err := o.show(format, target.Kind, found); err != nil {
			return internal("get", err)
		}
	}
	if format.Structured() {
		if one {
			err = format.Document(o.Out, all[0])
		} else {
			err = format.List(o.Out, header, inOrder(all))
		}
		if err != nil {
			return internal("get", err)
		}
	}
	if header.Witness != nil {
		if o.Flags.At == "" {
			o.Foot(*header.Witness)
		} else {
			o.footAt(*header.Witness, reading)
		}
	}
	return failures.end()
}

// show writes the objects of one kind where the format is not one document.
func (o *GetOptions) show(format output.Format, kind Kind, objects []*candor.Object) error {
	switch {
	case format.Structured() || len(objects) == 0:
		return nil
	case format == output.NameFormat:
		return o.names(kind, inOrder(objects))
	}
	return o.table(kind, format.Wide(), inOrder(objects))
}

// inNamespace is the flag that names a namespace, for a command to try.
func inNamespace(namespace string) string {
	if namespace == "" {
		return ""
	}
	return " -n " + namespace
}

func inOrder(objects []*candor.Object) iter.Seq2[*candor.Object, error] {
	return func(yield func(*candor.Object, error) bool) {
		for _, object := range objects {
			if !yield(object, nil) {
				return
			}
		}
	}
}
