package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// LabelOptions are those of `candor label`.
type LabelOptions struct {
	*Factory
	Selection
	Args      []string
	Overwrite bool
}

// NewCmdLabel returns `candor label`.
func NewCmdLabel(f *Factory, run func(context.Context, *LabelOptions) error) *cobra.Command {
	o := &LabelOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "label KIND NAME... KEY=VALUE... KEY-...", Short: "Set and remove labels",
		Long: `Set labels with KEY=VALUE and remove them with KEY-. A label that has another
value already is changed with --overwrite alone.`,
		Example: `candor label widget web tier=front
candor label widget/web tier=back --overwrite
candor label widgets --all release-`,
		Args:              arguments(2, -1, "objects, then labels"),
		ValidArgsFunction: f.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Args = args
			return runs(run, runLabel)(cmd.Context(), o)
		},
	}
	o.register(cmd, "label")
	cmd.Flags().BoolVar(&o.Overwrite, "overwrite", false, "change labels that have another value")
	return remotely(cmd, flagNamespace, flagOutput)
}

// Labels are what is asked of the labels of an object.
type Labels struct {
	Set    map[string]string
	Remove []string
}

// ParseLabels takes KEY=VALUE and KEY- off the end of args.
func ParseLabels(args []string) (objects []string, labels Labels, err error) {
	labels.Set = map[string]string{}
	for i, arg := range args {
		key, value, sets := strings.Cut(arg, "=")
		removed, removes := strings.CutSuffix(arg, "-")
		switch {
		case sets:
			if _, twice := labels.Set[key]; twice {
				return nil, Labels{}, usage("label %q is given twice", key)
			}
			labels.Set[key] = value
		case removes:
			labels.Remove = append(labels.Remove, removed)
		case len(labels.Set)+len(labels.Remove) > 0:
			return nil, Labels{}, usage("%q after labels: objects come first", arg)
		default:
			objects = args[:i+1]
		}
	}
	if len(labels.Set)+len(labels.Remove) == 0 {
		return nil, Labels{}, usage("which labels? KEY=VALUE sets one, KEY- removes one")
	}
	for _, key := range labels.Remove {
		if _, both := labels.Set[key]; both {
			return nil, Labels{}, usage("label %q is both set and removed", key)
		}
		if err := candor.CheckLabels("label", map[string]string{key: ""}); err != nil {
			return nil, Labels{}, usage("%v", said(err))
		}
	}
	if err := candor.CheckLabels("label", labels.Set); err != nil {
		return nil, Labels{}, usage("%v", said(err))
	}
	return objects, labels, nil
}

// On returns the labels with the changes made, and whether any was. Without
// overwrite a value that would change is an Error of reason CONFLICT.
func (l Labels) On(have map[string]string, overwrite bool) (map[string]string, bool, error) {
	labels := maps.Clone(have)
	if labels == nil {
		labels = map[string]string{}
	}
	for _, key := range slices.Sorted(maps.Keys(l.Set)) {
		value := l.Set[key]
		if was, ok := have[key]; ok && was != value && !overwrite {
			return nil, false, candor.Errorf(candor.ReasonConflict, "label %s is %q already; --overwrite makes it %q", key, was, value)
		}
		labels[key] = value
	}
	for _, key := range l.Remove {
		delete(labels, key)
	}
	return labels, !maps.Equal(labels, have), nil
}

func runLabel(ctx context.Context, o *LabelOptions) error {
	objects, labels, err := ParseLabels(o.Args)
	if err != nil {
		return err
	}
	if len(objects) == 0 {
		return usage("label what? name a kind, then objects")
	}
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	targets, err := o.targets(ctx, objects)
	if err != nil {
		return err
	}
	if err := o.check(len(targets[0].Refs)); err != nil {
		return err
	}
	l := labeler{LabelOptions: o, labels: labels, format: format, failures: outcomes{f: o.Factory}}
	if l.remote, err = o.Remote(); err != nil {
		return err
	}
	several := false
	for _, target := range targets {
		refs, err := o.chosen(ctx, target, o.Selection)
		if err != nil {
			return err
		}
		several = several || len(refs) != 1 || len(targets) > 1
		for i, ref := range refs {
			if l.stopped {
				break
			}
			if err := l.label(ctx, target.Kind, ref); err != nil {
				return err
			}
			if l.stopped {
				l.failures.left(len(refs) - i - 1)
			}
		}
	}
	if err := documents(format, o.Out, l.done, several); err != nil {
		return internal("label", err)
	}
	if !l.last.Token.IsZero() {
		o.Narrate("%s", o.ErrPalette().States(output.Accepted(l.last.Token, l.last.Witness)))
	}
	return l.failures.end()
}

// labeler labels objects one by one and tells each.
type labeler struct {
	*LabelOptions
	remote   *Remote
	labels   Labels
	format   output.Format
	failures outcomes
	done     []*candor.Object
	last     client.Result
	// stopped: the cluster refuses, and the rest was not tried.
	stopped bool
}

func (l *labeler) label(ctx context.Context, kind Kind, ref candor.Ref) error {
	object, verb, err := l.change(ctx, ref)
	if err != nil {
		l.failures.refuse("label "+ref.String(), err)
		l.stopped = hopeless(err)
		return nil
	}
	l.done = append(l.done, object)
	switch {
	case l.format.Structured():
		return nil
	case l.format == output.NameFormat:
		_, err = fmt.Fprintf(l.Out, "%s/%s\n", kind.singular(), ref.Name)
	default:
		_, err = fmt.Fprintf(l.Out, "%s %s\n", l.line(kind, ref), verb)
	}
	return internal("label", err)
}

// change reads, labels and writes, again when somebody else was first.
func (l *labeler) change(ctx context.Context, ref candor.Ref) (*candor.Object, string, error) {
	for round := 1; ; round++ {
		live, w, err := l.remote.Reader.Get(ctx, ref, client.WithFreshness(candor.FreshnessStrong))
		if err != nil {
			return nil, "", err
		}
		labels, changed, err := l.labels.On(live.Metadata.Labels, l.Overwrite)
		if err != nil {
			return nil, "", try(err, "candor label "+ref.String()+" "+strings.Join(l.labels.words(), " ")+" --overwrite")
		}
		if !changed {
			return live, "unchanged", nil
		}
		asked := *withoutStatus(live)
		asked.Metadata.Labels = labels
		result, err := l.remote.Writer.Update(ctx, &asked,
			client.WithReason("LABEL", "labels "+strings.Join(l.labels.words(), " ")), client.WithReadToken(w.ServedToken))
		if candor.ReasonOf(err) == candor.ReasonConflict && round < mostRounds {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		l.last = result
		if result.Object != nil {
			return result.Object, "labeled", nil
		}
		return &asked, "labeled", nil
	}
}

// words are the labels as they are asked for.
func (l Labels) words() []string {
	var words []string
	for _, key := range slices.Sorted(maps.Keys(l.Set)) {
		words = append(words, key+"="+l.Set[key])
	}
	for _, key := range l.Remove {
		words = append(words, key+"-")
	}
	return words
}
