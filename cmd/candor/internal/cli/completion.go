package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// completionTime is how long a shell waits for an answer; whoever presses tab
// looks at a still terminal meanwhile.
const completionTime = 800 * time.Millisecond

// most that one completion offers.
const mostCompletions = 200

type completer = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective)

// source lists what an argument may be.
type source func(ctx context.Context) ([]string, error)

// completeOnce completes one argument.
func (f *Factory) completeOnce(from source) completer {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return f.offer(cmd.Context(), typed, from)
	}
}

// offer completes what is typed. A cluster that does not answer offers
// nothing: completion is the one place where an error has nowhere to go.
func (f *Factory) offer(ctx context.Context, typed string, from source) ([]string, cobra.ShellCompDirective) {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	words, err := from(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError | cobra.ShellCompDirectiveNoFileComp
	}
	words = slices.DeleteFunc(words, func(word string) bool { return !strings.HasPrefix(word, typed) })
	slices.Sort(words)
	words = slices.Compact(words)
	if len(words) > mostCompletions {
		words = words[:mostCompletions]
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

// completeTargets completes KIND NAME... and KIND/NAME...
func (f *Factory) completeTargets(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	word, _, slash := strings.Cut(typed, "/")
	switch {
	case slash:
		return f.offer(cmd.Context(), typed, func(ctx context.Context) ([]string, error) {
			names, err := f.objectNames(ctx, word)
			for i := range names {
				names[i] = word + "/" + names[i]
			}
			return names, err
		})
	case len(args) == 0 || strings.Contains(args[0], "/"):
		return f.offer(cmd.Context(), typed, f.kindWords)
	}
	return f.offer(cmd.Context(), typed, func(ctx context.Context) ([]string, error) {
		names, err := f.objectNames(ctx, args[0])
		return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(args[1:], name) }), err
	})
}

// completeKind completes one kind.
func (f *Factory) completeKind(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	return f.completeOnce(f.kindWords)(cmd, args, typed)
}

func (f *Factory) completionKinds(ctx context.Context) ([]Kind, error) {
	remote, err := f.Remote()
	if err != nil {
		return nil, err
	}
	known, _, err := NewKinds(remote.Reader, Reading{Freshness: candor.FreshnessBestEffort}).All(ctx)
	return known, err
}

func (f *Factory) kindWords(ctx context.Context) ([]string, error) {
	kinds, err := f.completionKinds(ctx)
	var words []string
	for _, kind := range kinds {
		words = append(words, kind.Names.Plural)
	}
	return words, err
}

func (f *Factory) objectNames(ctx context.Context, word string) ([]string, error) {
	kinds, err := f.completionKinds(ctx)
	if err != nil {
		return nil, err
	}
	kind, err := named(kinds, word)
	if err != nil {
		return nil, err
	}
	namespace, err := f.namespaceOf(kind)
	if err != nil {
		return nil, err
	}
	return f.namesOf(ctx, kind.Name(), namespace)
}

func (f *Factory) namesOf(ctx context.Context, kind candor.KindName, namespace string) ([]string, error) {
	remote, err := f.Remote()
	if err != nil {
		return nil, err
	}
	reading := Reading{Freshness: candor.FreshnessBestEffort}
	page, err := remote.Reader.List(ctx, kind, client.ListOptions{Namespace: namespace, Limit: candor.MaxPageObjects}, reading.options()...)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, object := range page.Objects {
		names = append(names, object.Metadata.Name)
	}
	return names, nil
}

func (f *Factory) namespaceNames(ctx context.Context) ([]string, error) {
	return f.namesOf(ctx, candor.KindNamespaces, "")
}

func (f *Factory) contextNames(context.Context) ([]string, error) {
	file, _, err := f.contexts()
	var names []string
	for _, c := range file.Contexts {
		names = append(names, c.Name)
	}
	return names, err
}

// completeFlags completes the values of the root flags.
func (f *Factory) completeFlags(root *cobra.Command) {
	fixed := func(words ...string) completer {
		return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		}
	}
	from := func(words source) completer {
		return func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
			return f.offer(cmd.Context(), typed, words)
		}
	}
	for flag, complete := range map[string]completer{
		flagOutput:    fixed(output.FormatWords...),
		flagRead:      fixed("strong", "strong:follower", "bounded", "bounded:age=", "bounded:lag=", "best-effort"),
		"color":       fixed("auto", "always", "never"),
		flagContext:   from(f.contextNames),
		flagNamespace: from(f.namespaceNames),
	} {
		if err := root.RegisterFlagCompletionFunc(flag, complete); err != nil {
			// The flags were registered a moment ago, each once.
			panic(err)
		}
	}
}
