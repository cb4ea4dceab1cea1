package merge

import (
	"encoding/json"

	"github.com/candor-plane/candor"
)

// Annotation is where an object keeps the fields of the manifest that was
// applied to it last.
const Annotation = "candor/last-applied"

// Fields are the names of the fields that a manifest set: a member is Fields
// for an object and true for anything else. Fields are as JSON makes them.
type Fields = map[string]any

// FieldsOf collects the names of everything in manifest that is not null.
func FieldsOf(manifest map[string]any) Fields {
	fields := Fields{}
	for name, value := range manifest {
		switch v := value.(type) {
		case nil:
		case map[string]any:
			fields[name] = FieldsOf(v)
		default:
			fields[name] = true
		}
	}
	return fields
}

// LastApplied reads the annotation of an object; an object without one was
// never applied and has no Fields. An annotation that does not read is an
// Error of reason INVALID: going on would leave removed fields in place.
func LastApplied(o *candor.Object) (Fields, error) {
	text, ok := o.Metadata.Annotations[Annotation]
	if !ok {
		return Fields{}, nil
	}
	var fields Fields
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		e := candor.Errorf(candor.ReasonInvalid, "annotation %s does not read: %v; remove it and apply again", Annotation, err)
		e.Subject = o.Metadata.Name
		return nil, e
	}
	return fields, nil
}

// Text is the annotation's value.
func Text(fields Fields) string {
	text, err := json.Marshal(fields)
	if err != nil {
		// Fields hold maps and booleans alone.
		panic(err)
	}
	return string(text)
}
