package merge

import (
	"bytes"
	"encoding/json"
	"maps"
	"strconv"
	"strings"

	"github.com/candor-plane/candor"
)

// Desired is what a manifest asks of an object: metadata and spec. Status and
// what the root stamps (uid, generation, revisions, times) are not asked for.
func Desired(manifest map[string]any) map[string]any {
	desired := map[string]any{}
	if spec, ok := manifest["spec"]; ok {
		desired["spec"] = spec
	}
	metadata, _ := manifest["metadata"].(map[string]any)
	asked := map[string]any{}
	for _, name := range []string{"labels", "annotations", "ownerReferences", "finalizers"} {
		if value, ok := metadata[name]; ok {
			asked[name] = value
		}
	}
	if annotations, ok := asked["annotations"].(map[string]any); ok {
		annotations = maps.Clone(annotations)
		delete(annotations, Annotation)
		asked["annotations"] = annotations
	}
	desired["metadata"] = asked
	return desired
}

// Create is the object that a manifest makes where there was none.
func Create(o *candor.Object, manifest map[string]any) *candor.Object {
	created := *o
	created.Status, created.Observed = nil, nil
	created.Metadata.Annotations = maps.Clone(o.Metadata.Annotations)
	remember(&created, Desired(manifest))
	return &created
}

// Update is live with a manifest applied to it. Changed is false when every
// field already is as the manifest has it, the annotation included.
func Update(live *candor.Object, manifest map[string]any) (merged *candor.Object, changed bool, err error) {
	last, err := LastApplied(live)
	if err != nil {
		return nil, false, err
	}
	text, err := live.MarshalJSON()
	if err != nil {
		return nil, false, err
	}
	before, err := decode(text)
	if err != nil {
		return nil, false, err
	}
	desired := Desired(manifest)
	after := ThreeWay(last, before, desired)
	if text, err = json.Marshal(after); err != nil {
		return nil, false, candor.Errorf(candor.ReasonInternal, "merge: %v", err)
	}
	merged = new(candor.Object)
	if err := json.Unmarshal(text, merged); err != nil {
		return nil, false, err
	}
	merged.Metadata.CreateRevision = live.Metadata.CreateRevision
	remember(merged, desired)
	changed = !Equal(before, after) || merged.Metadata.Annotations[Annotation] != live.Metadata.Annotations[Annotation]
	return merged, changed, nil
}

func remember(o *candor.Object, desired map[string]any) {
	if o.Metadata.Annotations == nil {
		o.Metadata.Annotations = map[string]string{}
	}
	o.Metadata.Annotations[Annotation] = Text(FieldsOf(desired))
}

// ThreeWay returns live with desired's fields set and those of last that
// desired does not name removed. An object that this empties is removed too.
// The arguments are not changed; the result shares parts with them.
func ThreeWay(last Fields, live, desired map[string]any) map[string]any {
	merged := maps.Clone(live)
	if merged == nil {
		merged = map[string]any{}
	}
	for name, was := range last {
		if _, named := desired[name]; !named {
			remove(merged, name, was)
		}
	}
	for name, want := range desired {
		wanted, isObject := want.(map[string]any)
		switch {
		case want == nil:
			delete(merged, name)
		case isObject:
			lived, _ := merged[name].(map[string]any)
			was, _ := last[name].(map[string]any)
			merged[name] = ThreeWay(was, lived, wanted)
		default:
			merged[name] = want
		}
	}
	return merged
}

func remove(from map[string]any, name string, was any) {
	inner, wasObject := was.(map[string]any)
	lived, isObject := from[name].(map[string]any)
	if !wasObject || !isObject {
		delete(from, name)
		return
	}
	left := ThreeWay(inner, lived, nil)
	if len(left) == 0 {
		delete(from, name)
		return
	}
	from[name] = left
}

// Equal compares decoded JSON by value: 1, 1.0 and 1e0 are one number, and an
// empty object or list differs from none.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, Equal)
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !Equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case json.Number:
		b, ok := b.(json.Number)
		return ok && sameNumber(a.String(), b.String())
	}
	return a == b
}

// sameNumber never calls two integers equal that differ beyond a float's
// precision.
func sameNumber(a, b string) bool {
	if a == b {
		return true
	}
	if !strings.ContainsAny(a, ".eE") && !strings.ContainsAny(b, ".eE") {
		return false
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x == y && x < 1<<53 && x > -(1<<53)
}

func decode(text []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var value map[string]any
	if err := dec.Decode(&value); err != nil {
		return nil, candor.Errorf(candor.ReasonInternal, "merge: %v", err)
	}
	return value, nil
}
