package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// Target is what the arguments of a command name: objects of one kind, or,
// without any, the kind.
type Target struct {
	Kind Kind
	Refs []candor.Ref
}

// targetUse is how a target is written in help.
const targetUse = "KIND NAME... | KIND/NAME..."

// targets reads "KIND", "KIND NAME...", "KIND/NAME..." and, as objects are
// printed, "KIND/NAMESPACE/NAME...". Objects come in the order given.
func (f *Factory) targets(ctx context.Context, args []string) ([]Target, error) {
	kinds, err := f.Kinds()
	if err != nil {
		return nil, err
	}
	if !strings.Contains(args[0], "/") {
		kind, err := kinds.Resolve(ctx, args[0])
		if err != nil {
			return nil, err
		}
		target := Target{Kind: kind}
		for _, name := range args[1:] {
			if strings.Contains(name, "/") {
				return nil, usage("%q after kind %s: want a name, or KIND/NAME for every object", name, args[0])
			}
			if err := f.add(&target, "", name); err != nil {
				return nil, err
			}
		}
		return []Target{target}, nil
	}
	var targets []Target
	for _, arg := range args {
		word, namespace, name, ok := splitTarget(arg)
		if !ok {
			return nil, usage("%q: want KIND/NAME, as the first argument is", arg)
		}
		kind, err := kinds.Resolve(ctx, word)
		if err != nil {
			return nil, err
		}
		if last := len(targets) - 1; last < 0 || targets[last].Kind.Name() != kind.Name() {
			targets = append(targets, Target{Kind: kind})
		}
		if err := f.add(&targets[len(targets)-1], namespace, name); err != nil {
			return nil, err
		}
	}
	return targets, nil
}

func splitTarget(arg string) (word, namespace, name string, ok bool) {
	parts := strings.Split(arg, "/")
	if slices.Contains(parts, "") {
		return "", "", "", false
	}
	switch len(parts) {
	case 2:
		return parts[0], "", parts[1], true
	case 3:
		return parts[0], parts[1], parts[2], true
	}
	return "", "", "", false
}

// add adds an object; without a namespace it is in that of the command.
func (f *Factory) add(target *Target, namespace, name string) error {
	switch {
	case namespace != "" && !target.Kind.Namespaced():
		return usage("%s/%s/%s: objects of kind %s are in no namespace", target.Kind.Names.Plural, namespace, name, target.Kind.Names.Kind)
	case namespace != "" && f.Flags.Namespace != "" && namespace != f.Flags.Namespace:
		return usage("%s/%s/%s: --namespace %s names another", target.Kind.Names.Plural, namespace, name, f.Flags.Namespace)
	case namespace == "":
		var err error
		if namespace, err = f.namespaceOf(target.Kind); err != nil {
			return err
		}
	}
	target.Refs = append(target.Refs, target.Kind.Ref(namespace, name))
	return nil
}

// object reads arguments that must name one object.
func (f *Factory) object(ctx context.Context, args []string) (Kind, candor.Ref, error) {
	targets, err := f.targets(ctx, args)
	if err != nil {
		return Kind{}, candor.Ref{}, err
	}
	if len(targets) != 1 || len(targets[0].Refs) != 1 {
		return Kind{}, candor.Ref{}, usage("want one object, KIND NAME or KIND/NAME, not %s", strings.Join(args, " "))
	}
	return targets[0].Kind, targets[0].Refs[0], nil
}

// namespaceOf is the namespace that names of a kind are in; "" where the kind
// has none, and for all of them.
func (f *Factory) namespaceOf(kind Kind) (string, error) {
	if !kind.Namespaced() {
		return "", nil
	}
	return f.Flags.namespace(f.Getenv)
}

// line names an object for people: "widget/web", and its namespace where that
// is not the command's own.
func (f *Factory) line(kind Kind, ref candor.Ref) string {
	name := kind.singular() + "/" + ref.Name
	if own, err := f.namespaceOf(kind); err == nil && own == ref.Namespace {
		return name
	}
	return name + within(ref.Namespace)
}

// Selection is -l and --all, for commands that act on many objects.
type Selection struct {
	Selector string
	Every    bool
}

func (s *Selection) register(cmd *cobra.Command, verb string) {
	cmd.Flags().StringVarP(&s.Selector, "selector", "l", "", verb+" the objects whose `labels` match, for example app=shop,tier!=test")
	cmd.Flags().BoolVar(&s.Every, "all", false, verb+" every object of the kind in the namespace")
}

// check returns an Error of reason USAGE unless names, -l or --all choose.
func (s *Selection) check(names int) error {
	if _, err := candor.ParseSelector(s.Selector); err != nil {
		return usage("--selector: %v", said(err))
	}
	switch {
	case names > 0 && (s.Every || s.Selector != ""):
		return usage("names exclude --selector and --all")
	case s.Every && s.Selector != "":
		return usage("--selector and --all exclude each other")
	case names == 0 && !s.Every && s.Selector == "":
		return usage("which objects? give names, --selector or --all")
	}
	return nil
}

// chosen are the objects that names or a selection choose, all of one kind.
func (f *Factory) chosen(ctx context.Context, target Target, s Selection) ([]candor.Ref, error) {
	if len(target.Refs) > 0 {
		return target.Refs, nil
	}
	namespace, err := f.namespaceOf(target.Kind)
	if err != nil {
		return nil, err
	}
	remote, err := f.Remote()
	if err != nil {
		return nil, err
	}
	list := listing{
		reader: remote.Reader, kind: target.Kind.Name(), reading: Reading{Freshness: candor.FreshnessStrong},
		options: client.ListOptions{Namespace: namespace, Selector: s.Selector},
	}
	first, err := list.next(ctx)
	if err != nil {
		return nil, err
	}
	var refs []candor.Ref
	for object, err := range list.all(ctx, first) {
		if err != nil {
			return nil, err
		}
		refs = append(refs, target.Kind.Ref(object.Metadata.Namespace, object.Metadata.Name))
	}
	return refs, nil
}
