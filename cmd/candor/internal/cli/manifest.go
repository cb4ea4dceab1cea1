package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/manifest"
)

// ManifestOptions are -f and -R.
type ManifestOptions struct {
	Files     []string
	Recursive bool
}

func (o *ManifestOptions) register(cmd *cobra.Command) {
	cmd.Flags().StringSliceVarP(&o.Files, "filename", "f", nil, "`file` or folder of manifests, YAML or JSON; - is stdin; may be repeated")
	cmd.Flags().BoolVarP(&o.Recursive, "recursive", "R", false, "look into folders inside folders")
}

// planned is one object of the manifests and what it is to the cluster.
type planned struct {
	document manifest.Document
	kind     Kind
	ref      candor.Ref
	// needs are the Kind and the Namespace object that must be there first,
	// where the same manifests bring them.
	needs []candor.Ref
}

// plan reads manifests, finds the kind and namespace of every object, and
// orders them: kinds, namespaces, the rest, each as it was written.
func (f *Factory) plan(ctx context.Context, o ManifestOptions) ([]planned, error) {
	if len(o.Files) == 0 {
		return nil, usage("which manifests? -f FILE, -f FOLDER or -f -")
	}
	documents, err := manifest.Loader{Stdin: f.In, Recursive: o.Recursive}.Load(o.Files...)
	if err != nil {
		return nil, err
	}
	kinds, err := f.Kinds()
	if err != nil {
		return nil, err
	}
	brought := map[candor.Ref]bool{}
	for _, d := range documents {
		if spec, ok := declared(d.Object); ok {
			kinds.Declare(Kind{KindSpec: spec, Object: d.Object})
			brought[candor.Ref{Kind: candor.KindKinds, Name: string(spec.Name())}] = true
		}
		if d.Object.APIVersion == candor.APIVersion && d.Object.Kind == "Namespace" {
			brought[candor.Ref{Kind: candor.KindNamespaces, Name: d.Object.Metadata.Name}] = true
		}
	}
	var items []planned
	for _, d := range documents {
		item, err := f.planOne(ctx, d, brought)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(items, func(other planned) bool { return other.ref == item.ref })
		if at >= 0 {
			return nil, placed(d, &candor.Error{
				Reason: candor.ReasonInvalid, Subject: item.ref.String(),
				Message: fmt.Sprintf("%s is given twice; first at %s", item.ref, items[at].document.Place("")),
			})
		}
		items = append(items, item)
	}
	slices.SortStableFunc(items, func(a, b planned) int { return order(a.ref.Kind) - order(b.ref.Kind) })
	return items, nil
}

func (f *Factory) planOne(ctx context.Context, d manifest.Document, brought map[candor.Ref]bool) (planned, error) {
	kinds, err := f.Kinds()
	if err != nil {
		return planned{}, err
	}
	kind, err := kinds.Of(ctx, d.Object.APIVersion, d.Object.Kind)
	if candor.ReasonOf(err) == candor.ReasonUnknownKind {
		err = placed(d, err)
	}
	if err != nil {
		return planned{}, err
	}
	own := d.Object.Metadata.Namespace
	switch {
	case own != "" && !kind.Namespaced():
		return planned{}, placed(d, invalidField("metadata.namespace", "objects of kind %s are in no namespace; remove it", kind.Names.Kind))
	case own != "" && f.Flags.Namespace != "" && own != f.Flags.Namespace:
		return planned{}, placed(d, invalidField("metadata.namespace", "is %s; --namespace says %s", own, f.Flags.Namespace))
	case own == "":
		if own, err = f.namespaceOf(kind); err != nil {
			return planned{}, err
		}
	}
	d.Object.Metadata.Namespace = own
	item := planned{document: d, kind: kind, ref: kind.Ref(own, d.Object.Metadata.Name)}
	for _, need := range []candor.Ref{{Kind: candor.KindKinds, Name: string(kind.Name())}, {Kind: candor.KindNamespaces, Name: own}} {
		if brought[need] {
			item.needs = append(item.needs, need)
		}
	}
	return item, nil
}

// declared is the kind that a Kind manifest declares. One that does not read
// is left to the server, which says what is wrong with it.
func declared(o *candor.Object) (candor.KindSpec, bool) {
	if o.APIVersion != candor.APIVersion || o.Kind != "Kind" {
		return candor.KindSpec{}, false
	}
	var spec candor.KindSpec
	if err := json.Unmarshal(o.Spec, &spec); err != nil {
		return candor.KindSpec{}, false
	}
	return spec, true
}

// order is what must be there first.
func order(kind candor.KindName) int {
	switch kind {
	case candor.KindKinds:
		return 0
	case candor.KindNamespaces:
		return 1
	default:
		return 2
	}
}

func invalidField(path, format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	return &candor.Error{
		Reason: candor.ReasonInvalid, Message: path + ": " + message,
		Fields: []candor.FieldViolation{{Path: path, Message: message}},
	}
}

// placed says in which file, document and line a refusal's fields are, so that
// what the server refuses is found where it was written.
func placed(d manifest.Document, err error) error {
	e, ok := errorOf(err)
	if !ok {
		return err
	}
	located := *e
	located.Op = ""
	located.Fields = nil
	for _, field := range e.Fields {
		located.Fields = append(located.Fields, candor.FieldViolation{Path: d.Place(field.Path) + ": " + field.Path, Message: field.Message})
	}
	switch len(e.Fields) {
	case 0:
		located.Message = d.Place("") + ": " + e.Message
	case 1:
		located.Message = located.Fields[0].Path + ": " + e.Fields[0].Message
	default:
		located.Message = d.Place("") + " is refused in several places"
	}
	return try(&located, stepsFor(d, e)...)
}

// fileFlag is what -f takes.
func fileFlag(d manifest.Document) string {
	if d.Source == "stdin" {
		return "-"
	}
	return d.Source
}

func stepsFor(d manifest.Document, e *candor.Error) []string {
	kind := strings.ToLower(d.Object.Kind)
	switch e.Reason {
	case candor.ReasonInvalid:
		if len(e.Fields) > 0 {
			if part, _, _ := strings.Cut(strings.TrimLeft(e.Fields[0].Path, "."), "."); part == "spec" || part == "status" {
				return []string{"candor explain " + kind + "." + part}
			}
		}
		return []string{"candor explain " + kind}
	case candor.ReasonConflict, candor.ReasonAlreadyExists:
		return []string{
			"candor history " + kind + " " + d.Object.Metadata.Name + inNamespace(d.Object.Metadata.Namespace) + "   who changed it, and how",
			"candor diff -f " + fileFlag(d),
		}
	case candor.ReasonNotFound, candor.ReasonNamespaceTerminating:
		return []string{"candor get namespaces"}
	default:
		return nil
	}
}
