package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/candor-plane/candor"
)

// Field is one place in the objects of a kind.
type Field struct {
	path   []string
	schema map[string]any
	// root is what references are resolved in: the part's whole schema.
	root map[string]any
	// required is set by the object that the field is in.
	required bool
}

// Of is the kind itself: the object with apiVersion, kind, metadata, spec and
// status. The error has the reason INVALID.
func Of(spec candor.KindSpec) (Field, error) {
	properties := map[string]any{}
	if err := decode([]byte(common), &properties); err != nil {
		return Field{}, candor.Errorf(candor.ReasonInternal, "schema of objects: %v", err)
	}
	if spec.Scope == candor.ScopeCluster {
		metadata, _ := properties["metadata"].(map[string]any)
		fields, _ := metadata["properties"].(map[string]any)
		delete(fields, "namespace")
	}
	for name, text := range map[string]json.RawMessage{"spec": spec.Schema.Spec, "status": spec.Schema.Status} {
		part := map[string]any{"type": "object"}
		if len(text) > 0 {
			part = map[string]any{}
			if err := decode(text, &part); err != nil {
				return Field{}, candor.Errorf(candor.ReasonInvalid, "kind %s: the schema of %s is no JSON object: %v", spec.Name(), name, err)
			}
		}
		if part["description"] == nil {
			part["description"] = map[string]string{
				"spec":   "What is desired; written by clients.",
				"status": "What is: reconciled by controllers, and observed by observers in status.observed.",
			}[name]
		}
		properties[name] = part
	}
	return Field{schema: map[string]any{
		"type": "object", "required": []any{"apiVersion", "kind", "metadata"}, "properties": properties,
	}}, nil
}

// decode keeps numbers as they were written.
func decode(text []byte, into *map[string]any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	return dec.Decode(into)
}

// Find follows a path of field names. Lists are passed through: "ports.name"
// is the name of each port. The error has the reason INVALID and says where
// the path ends.
func (f Field) Find(path []string) (Field, error) {
	at := f
	for i, name := range path {
		next, ok := at.child(name)
		if !ok {
			where := "the kind"
			if i > 0 {
				where = strings.Join(path[:i], ".")
			}
			message := fmt.Sprintf("%s has no field %q", where, name)
			if names := at.names(); len(names) > 0 {
				message += "; it has " + strings.Join(names, ", ")
			}
			return Field{}, &candor.Error{Reason: candor.ReasonInvalid, Subject: strings.Join(path, "."), Message: message}
		}
		at = next
	}
	return at, nil
}

// names are the fields of the field, in order.
func (f Field) names() []string {
	return slices.Sorted(maps.Keys(f.properties()))
}

func (f Field) properties() map[string]any {
	properties, _ := f.element()["properties"].(map[string]any)
	return properties
}

func (f Field) child(name string) (Field, bool) {
	element := f.element()
	properties, _ := element["properties"].(map[string]any)
	sub, ok := properties[name]
	if !ok {
		// Any other name, where the schema says of what form.
		sub, ok = element["additionalProperties"].(map[string]any)
	}
	if !ok {
		return Field{}, false
	}
	child := Field{path: append(slices.Clone(f.path), name), root: f.root, required: contains(element["required"], name)}
	child.schema, _ = sub.(map[string]any)
	if len(f.path) == 0 {
		child.root = child.schema
	}
	return child, true
}

// element is the schema of the field, or where it is a list that of what is in
// it, lists in lists passed through.
func (f Field) element() map[string]any {
	at := f.resolved(f.schema)
	for range mostSteps {
		items, ok := at["items"].(map[string]any)
		if !ok {
			break
		}
		at = f.resolved(items)
	}
	return at
}

// mostSteps bounds references and lists inside one another.
const mostSteps = 32

// resolved follows "$ref" within the part's schema. What stands beside a
// reference is kept and goes before what it leads to. A reference that leads
// nowhere, or round in a circle, is left as it is.
func (f Field) resolved(schema map[string]any) map[string]any {
	at := schema
	for range mostSteps {
		ref, ok := at["$ref"].(string)
		if !ok {
			return at
		}
		target, ok := f.lookup(ref)
		if !ok {
			return at
		}
		merged := maps.Clone(target)
		for key, value := range at {
			if key != "$ref" {
				merged[key] = value
			}
		}
		at = merged
	}
	return schema
}

var pointer = strings.NewReplacer("~1", "/", "~0", "~")

func (f Field) lookup(ref string) (map[string]any, bool) {
	path, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil, false
	}
	at := f.root
	for step := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if step == "" {
			continue
		}
		at, ok = at[pointer.Replace(step)].(map[string]any)
		if !ok {
			return nil, false
		}
	}
	return at, at != nil
}

func contains(list any, name string) bool {
	items, _ := list.([]any)
	return slices.Contains(items, any(name))
}

// common are the fields that every object has beside spec and status.
const common = `{
  "apiVersion": {"type": "string", "description": "GROUP/VERSION of the kind."},
  "kind": {"type": "string", "description": "The kind's name."},
  "metadata": {
    "type": "object", "required": ["name"],
    "description": "What every object has.",
    "properties": {
      "name": {"type": "string", "description": "A DNS-1123 name, the object's own among those of its kind and namespace."},
      "namespace": {"type": "string", "description": "Where the object lives. It never changes."},
      "uid": {"type": "string", "description": "The object's own for ever: another object of the same name has another. Stamped by the root."},
      "generation": {"type": "integer", "description": "Counts changes of spec, from 1. Stamped by the root."},
      "resourceVersion": {"type": "string", "description": "The revision that made this version. In a manifest: change the object only if it is at this one."},
      "creationTimestamp": {"type": "string", "format": "date-time", "description": "When it was created, by the leader's clock; for people."},
      "deletionTimestamp": {"type": "string", "format": "date-time", "description": "When it was deleted; it goes when its finalizers are gone."},
      "labels": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Names and values that selectors choose by."},
      "annotations": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Names and values that nothing chooses by."},
      "ownerReferences": {
        "type": "array",
        "description": "The objects that this one belongs to. It is deleted after the last of them.",
        "items": {
          "type": "object", "required": ["kind", "name", "uid"],
          "properties": {
            "apiVersion": {"type": "string", "description": "GROUP/VERSION of the owner; left out where kind is PLURAL.GROUP."},
            "kind": {"type": "string", "description": "The owner's kind, or PLURAL.GROUP of it, without an apiVersion."},
            "name": {"type": "string"},
            "uid": {"type": "string"},
            "controller": {"type": "boolean", "description": "This owner manages the object."},
            "blockOwnerDeletion": {"type": "boolean", "description": "The owner does not go before this object."}
          }
        }
      },
      "finalizers": {"type": "array", "items": {"type": "string"}, "description": "What must be done before the object can go. Who did it takes its name off."}
    }
  }
}`
