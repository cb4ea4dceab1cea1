package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// WatchOptions are those of `candor watch`.
type WatchOptions struct {
	*Factory
	Args     []string
	Selector string
	After    uint64
	Count    uint64
	Bookmark bool
}

// NewCmdWatch returns `candor watch`.
func NewCmdWatch(f *Factory, run func(context.Context, *WatchOptions) error) *cobra.Command {
	o := &WatchOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "watch KIND [NAME]", Short: "Follow changes as they happen",
		Long: `Follow changes as they happen, each once and in the order of their revisions,
until Ctrl-C. A watch goes on at another server when its own is lost.

With -o json every change is one line of JSON; -o jsonpath sees the same form,
for example {.type} {.object.metadata.name}.`,
		Example: `candor watch widgets
candor watch widget web
candor watch widgets -A --after 977 -o json`,
		Args:              arguments(1, 2, "a kind, and at most one name"),
		ValidArgsFunction: f.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Args = args
			return runs(run, runWatch)(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVarP(&o.Selector, "selector", "l", "", "only objects whose `labels` match, for example app=shop,tier!=test")
	cmd.Flags().Uint64Var(&o.After, "after", 0, "begin after this `revision` (default: now)")
	cmd.Flags().Uint64Var(&o.Count, "count", 0, "end after so `many` changes (default: never)")
	cmd.Flags().BoolVar(&o.Bookmark, "bookmarks", false, "with -o json: also tell which revision a quiet watch has reached")
	return remotely(cmd, flagNamespace, flagAll, flagRead, flagOutput)
}

// watchLine is one line of `watch -o json`.
type watchLine struct {
	Type     candor.EventType `json:"type"`
	Revision uint64           `json:"revision"`
	Object   *candor.Object   `json:"object,omitempty"`
	Cause    *candor.Cause    `json:"cause,omitempty"`
	Witness  *candor.Witness  `json:"witness,omitempty"`
}

const bookmarkLine candor.EventType = "BOOKMARK"

func runWatch(ctx context.Context, o *WatchOptions) error {
	if _, err := candor.ParseSelector(o.Selector); err != nil {
		return usage("--selector: %v", said(err))
	}
	reading, err := o.Flags.reading()
	if err != nil {
		return err
	}
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	if format == output.YAMLFormat {
		return usage("-o yaml: a watch has no end, and a YAML document has; want table, wide, json, name or jsonpath=TEMPLATE")
	}
	targets, err := o.targets(ctx, o.Args)
	if err != nil {
		return err
	}
	if len(targets) > 1 || len(targets[0].Refs) > 1 {
		return usage("a watch is of one kind, or of one object of it")
	}
	kind := targets[0].Kind
	options := client.WatchOptions{Kind: kind.Name(), Selector: o.Selector, AfterRevision: o.After, Read: reading.options()}
	if len(targets[0].Refs) == 1 {
		if o.Flags.All {
			return usage("--all-namespaces is for a kind; a name was given")
		}
		options.Namespace, options.Name = targets[0].Refs[0].Namespace, targets[0].Refs[0].Name
	} else if options.Namespace, err = o.namespaceOf(kind); err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	if o.Flags.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Flags.Timeout)
		defer cancel()
	}
	events, err := remote.Watch(ctx, options)
	if candor.ReasonOf(err) == candor.ReasonCompacted {
		return try(err, "candor get "+kind.Names.Plural+"   and watch after the revision of its answer")
	}
	if err != nil {
		return err
	}
	show, err := o.printer(kind, format)
	if err != nil {
		return errors.Join(err, events.Close())
	}
	err = o.follow(ctx, events, show)
	if closed := events.Close(); err == nil {
		err = closed
	}
	return err
}

// follow shows batches until the count is reached or the context ends. Being
// ended by the user, or by --timeout, is how a watch ends.
func (o *WatchOptions) follow(ctx context.Context, events Events, show func(watchLine) error) error {
	seen := uint64(0)
	begun := false
	for {
		batch, err := events.Next(ctx)
		if err != nil {
			return unlessOver(ctx, err)
		}
		if !begun && batch.Witness != nil {
			begun = true
			o.Narrate("watching after revision %d; Ctrl-C ends it", batch.Revision)
			o.Foot(*batch.Witness)
		}
		if batch.Bookmark && o.Bookmark {
			if err := show(watchLine{Type: bookmarkLine, Revision: batch.Revision, Witness: batch.Witness}); err != nil {
				return internal("watch", err)
			}
		}
		for _, event := range batch.Events {
			line := watchLine{Type: event.Type, Revision: event.Revision, Object: event.Object}
			if event.Object != nil {
				line.Cause = event.Object.Cause
			}
			if err := show(line); err != nil {
				return internal("watch", err)
			}
			if seen++; seen == o.Count {
				return nil
			}
		}
	}
}

// ahead is by how much a server may see the end of a call's time before its client does:
// both count it, and either may be late.
const ahead = 200 * time.Millisecond

// unlessOver leaves out the error that the end of ctx made.
func unlessOver(ctx context.Context, err error) error {
	if over(ctx, err) {
		return nil
	}
	return err
}

func over(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return true
	}
	ends, bounded := ctx.Deadline()
	return bounded && time.Until(ends) < ahead && candor.ReasonOf(err) == candor.ReasonTimedOut
}

// printer returns what shows a line in the format.
func (o *WatchOptions) printer(kind Kind, format output.Format) (func(watchLine) error, error) {
	switch {
	case format == output.JSONFormat:
		return func(line watchLine) error { return output.Line(o.Out, line) }, nil
	case format.Structured():
		return func(line watchLine) error {
			if line.Object == nil {
				return nil
			}
			return format.Document(o.Out, line)
		}, nil
	case format == output.NameFormat:
		return func(line watchLine) error {
			if line.Object == nil {
				return nil
			}
			return name(o.Out, kind, line.Object, o.Flags.All)
		}, nil
	}
	columns := output.NewColumns(kind.PrinterColumns, format.Wide(), o.Now())
	columns.Namespace = o.Flags.All && kind.Namespaced()
	stream, err := output.NewStream(o.Out, o.OutPalette(), append([]string{"EVENT", "REVISION"}, columns.Names()...)...)
	if err != nil {
		return nil, internal("watch", err)
	}
	return func(line watchLine) error {
		if line.Object == nil {
			return nil
		}
		columns.Now = o.Now()
		return stream.Row(append([]string{string(line.Type), revisionText(line.Revision)}, columns.Cells(line.Object)...)...)
	}, nil
}
