package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// Kind is one kind of the cluster.
type Kind struct {
	candor.KindSpec
	// Object is the Kind object that declares it.
	Object *candor.Object
}

// Namespaced says whether objects of the kind live in a namespace.
func (k Kind) Namespaced() bool { return k.Scope == candor.ScopeNamespaced }

// Ref names an object of the kind; the namespace is left out where the kind
// has none.
func (k Kind) Ref(namespace, name string) candor.Ref {
	if !k.Namespaced() {
		namespace = ""
	}
	return candor.Ref{Kind: k.Name(), Namespace: namespace, Name: name}
}

// singular is what one object of the kind is called.
func (k Kind) singular() string {
	if k.Names.Singular != "" {
		return k.Names.Singular
	}
	return strings.ToLower(k.Names.Kind)
}

// words are the names that a command may use, the longest form left out.
func (k Kind) words() []string {
	return append([]string{k.Names.Plural, k.singular(), strings.ToLower(k.Names.Kind)}, k.Names.ShortNames...)
}

// Kinds are what the cluster's kinds are called, read when first needed and
// kept for the process. They belong to one goroutine.
type Kinds struct {
	reader  Reader
	reading Reading
	known   []Kind
	// declared are about to be: a manifest says so.
	declared []Kind
	read     bool
	fresh    bool
}

// NewKinds returns the kinds that reader knows. They are read with best effort;
// a name that is not among them is looked for again with the freshness of
// reading, so that "unknown" is not said of a kind that is merely new.
func NewKinds(reader Reader, reading Reading) *Kinds {
	reading.AtRevision = 0
	return &Kinds{reader: reader, reading: reading}
}

// Resolve finds a kind by plural, singular, kind, short name or PLURAL.GROUP.
func (k *Kinds) Resolve(ctx context.Context, word string) (Kind, error) {
	return k.find(ctx, func(known []Kind) (Kind, error) { return named(known, word) })
}

// Of finds the kind of a manifest.
func (k *Kinds) Of(ctx context.Context, apiVersion, kind string) (Kind, error) {
	return k.find(ctx, func(known []Kind) (Kind, error) { return typed(known, apiVersion, kind) })
}

// All are the kinds in the order of their names, read with the freshness that
// was asked for, and the answer that told them.
func (k *Kinds) All(ctx context.Context) ([]Kind, client.Page, error) {
	page, err := k.load(ctx, k.reading)
	return k.known, page, err
}

// Declare adds a kind that is about to be, or is about to change.
func (k *Kinds) Declare(kind Kind) { k.declared = append(k.declared, kind) }

// names are all kinds, those that are declared in place of those that are.
func (k *Kinds) names() []Kind {
	names := slices.Clone(k.declared)
	for _, kind := range k.known {
		if !slices.ContainsFunc(k.declared, func(d Kind) bool { return d.Name() == kind.Name() }) {
			names = append(names, kind)
		}
	}
	return names
}

// find looks in what is known, and once more after a fresher read.
func (k *Kinds) find(ctx context.Context, look func([]Kind) (Kind, error)) (Kind, error) {
	if !k.read {
		if _, err := k.load(ctx, Reading{Freshness: candor.FreshnessBestEffort}); err != nil {
			return Kind{}, err
		}
	}
	found, err := look(k.names())
	if candor.ReasonOf(err) != candor.ReasonUnknownKind || k.fresh || k.reading.Freshness == candor.FreshnessBestEffort {
		return found, err
	}
	if _, err := k.load(ctx, k.reading); err != nil {
		return Kind{}, err
	}
	k.fresh = true
	return look(k.names())
}

func (k *Kinds) load(ctx context.Context, reading Reading) (client.Page, error) {
	var last client.Page
	var known []Kind
	o := client.ListOptions{}
	for {
		page, err := k.reader.List(ctx, candor.KindKinds, o, reading.options()...)
		if err != nil {
			return client.Page{}, err
		}
		for _, object := range page.Objects {
			kind := Kind{Object: object}
			if err := json.Unmarshal(object.Spec, &kind.KindSpec); err != nil {
				return client.Page{}, candor.Wrap("kind "+object.Metadata.Name, err)
			}
			known = append(known, kind)
		}
		last, o.Continue = *page, page.Continue
		if page.Continue == "" {
			break
		}
	}
	k.read = true
	k.known = known
	return last, nil
}

// named matches a word: PLURAL.GROUP first, then every other name.
func named(known []Kind, word string) (Kind, error) {
	lower := strings.ToLower(word)
	var found []Kind
	for _, kind := range known {
		if string(kind.Name()) == lower {
			return kind, nil
		}
		if slices.Contains(kind.words(), lower) {
			found = append(found, kind)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return Kind{}, unknownKind(known, word)
	}
	// The built-in kinds are in every cluster: their names are theirs.
	for _, kind := range found {
		if kind.APIVersion() == candor.APIVersion {
			return kind, nil
		}
	}
	var full []string
	for _, kind := range found {
		full = append(full, string(kind.Name()))
	}
	slices.Sort(full)
	return Kind{}, usage("kind %q is one of %s: name it in full", word, strings.Join(full, ", "))
}

func unknownKind(known []Kind, word string) error {
	near := ""
	for _, kind := range known {
		for _, name := range kind.words() {
			if near == "" && (strings.HasPrefix(name, strings.ToLower(word)) || strings.HasPrefix(strings.ToLower(word), name)) {
				near = fmt.Sprintf("; did you mean %s?", name)
			}
		}
	}
	if strings.Contains(word, ",") {
		near = "; name one kind at a time"
	}
	return &candor.Error{
		Reason: candor.ReasonUnknownKind, Subject: word,
		Message: fmt.Sprintf("the cluster has no kind that is called %q%s", word, near),
	}
}

// typed matches apiVersion and kind, and tells a wrong version from a kind that
// is not there.
func typed(known []Kind, apiVersion, kind string) (Kind, error) {
	group, _, _ := strings.Cut(apiVersion, "/")
	var near []string
	for _, k := range known {
		switch {
		case k.APIVersion() == apiVersion && k.Names.Kind == kind:
			return k, nil
		case k.Names.Kind == kind && k.Group == group:
			near = append(near, fmt.Sprintf("group %s has it in version %s", k.Group, k.Version))
		case strings.EqualFold(k.Names.Kind, kind):
			near = append(near, fmt.Sprintf("there is kind %s of apiVersion %s", k.Names.Kind, k.APIVersion()))
		}
	}
	message := fmt.Sprintf("the cluster has no kind %s of apiVersion %s", kind, apiVersion)
	if len(near) > 0 {
		message += "; " + strings.Join(near, ", ")
	}
	return Kind{}, &candor.Error{Reason: candor.ReasonUnknownKind, Subject: apiVersion + " " + kind, Message: message}
}
