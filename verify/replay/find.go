package replay

import (
	"encoding/json"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/mvcc"
)

// Find reads the name of an object as people write it: KIND/NAME or KIND/NAMESPACE/NAME,
// the kind in full, by its plural or by its own word. namespace is meant where none is
// said and the kind has them; "" is default. The object need not be there.
func (r *Report) Find(text, namespace string) (candor.Ref, error) {
	parts := strings.Split(text, "/")
	if len(parts) < 2 || len(parts) > 3 {
		return candor.Ref{}, candor.Errorf(candor.ReasonInvalid, "object %q: want KIND/NAME or KIND/NAMESPACE/NAME", text)
	}
	kind, namespaced, err := r.kind(parts[0])
	switch {
	case err != nil:
		return candor.Ref{}, err
	case len(parts) == 3:
		return candor.Ref{Kind: kind, Namespace: parts[1], Name: parts[2]}, nil
	case !namespaced:
		return candor.Ref{Kind: kind, Name: parts[1]}, nil
	case namespace == "":
		namespace = "default"
	}
	return candor.Ref{Kind: kind, Namespace: namespace, Name: parts[1]}, nil
}

// kind finds a kind among those that the state declares.
func (r *Report) kind(word string) (found candor.KindName, namespaced bool, err error) {
	err = r.view.List(candor.KindKinds, "", "", 0, func(v *mvcc.Version) bool {
		_, name := candor.SplitKey(v.Key)
		kind := candor.KindName(name)
		var spec struct {
			Scope string `json:"scope"`
			Names struct {
				Kind string `json:"kind"`
			} `json:"names"`
		}
		if o := decoded(v); o != nil && json.Unmarshal(o.Spec, &spec) != nil {
			return true
		}
		if name == word || kind.Plural() == strings.ToLower(word) || strings.EqualFold(spec.Names.Kind, word) {
			found, namespaced = kind, spec.Scope == "Namespaced"
		}
		return found == ""
	})
	if err == nil && found == "" {
		err = candor.Errorf(candor.ReasonUnknownKind, "the state at %s has no kind %q", r.Token, word)
	}
	return found, namespaced, err
}
