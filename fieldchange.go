package candor

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// mostFieldText is how much of a value String shows.
const mostFieldText = 48

// String is the change for people: "replicas 2 -> 4". The part spec is left out.
func (c FieldChange) String() string {
	path := strings.TrimPrefix(c.Path, "spec.")
	switch {
	case len(c.Was) == 0:
		return path + " " + fieldText(c.Is) + " added"
	case len(c.Is) == 0:
		return path + " " + fieldText(c.Was) + " removed"
	default:
		return path + " " + fieldText(c.Was) + " -> " + fieldText(c.Is)
	}
}

func fieldText(raw json.RawMessage) string {
	text := string(raw)
	var s string
	if json.Unmarshal(raw, &s) == nil && s != "" && !strings.ContainsAny(s, " \n\t") {
		text = s
	}
	if len(text) > mostFieldText {
		text = strings.ToValidUTF8(text[:mostFieldText-3], "") + "..."
	}
	return text
}

// FieldChanges are the fields in which two versions differ, in order of paths:
// labels, annotations, finalizers and the deletion of the metadata, spec, status and
// status.observed. A nil version has no fields. Lists of one length are compared
// member by member, others as a whole.
func FieldChanges(was, is *Object) []FieldChange {
	var out []FieldChange
	a, b := fieldsOf(was), fieldsOf(is)
	for _, part := range [...]string{"metadata", "spec", "status"} {
		out = differ(out, part, a[part], b[part])
	}
	return out
}

func fieldsOf(o *Object) map[string]any {
	if o == nil {
		return nil
	}
	metadata := map[string]any{}
	if len(o.Metadata.Labels) > 0 {
		metadata["labels"] = anyMap(o.Metadata.Labels)
	}
	if len(o.Metadata.Annotations) > 0 {
		metadata["annotations"] = anyMap(o.Metadata.Annotations)
	}
	if len(o.Metadata.Finalizers) > 0 {
		metadata["finalizers"] = anyList(o.Metadata.Finalizers)
	}
	if o.Terminating() {
		metadata["deletionTimestamp"] = second(o.Metadata.DeletionTime)
	}
	out := map[string]any{}
	if len(metadata) > 0 {
		out["metadata"] = metadata
	}
	status, err := JoinStatus(o.Status, o.Observed)
	if err != nil {
		status = o.Status
	}
	for part, raw := range map[string]json.RawMessage{"spec": o.Spec, "status": status} {
		if value := decodeField(raw); value != nil {
			out[part] = value
		}
	}
	return out
}

func anyMap(in map[string]string) map[string]any {
	out := make(map[string]any, len(in))
	for name, value := range in {
		out[name] = value
	}
	return out
}

func anyList(in []string) []any {
	out := make([]any, len(in))
	for i := range in {
		out[i] = in[i]
	}
	return out
}

// decodeField keeps numbers as they are written; what is no JSON is nil.
func decodeField(raw json.RawMessage) any {
	if len(raw) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return nil
	}
	return value
}

func differ(out []FieldChange, path string, was, is any) []FieldChange {
	if x, ok := was.(map[string]any); ok || was == nil {
		y, both := is.(map[string]any)
		if both || is == nil && ok {
			return differMaps(out, path, x, y)
		}
	}
	if x, ok := was.([]any); ok {
		if y, both := is.([]any); both && len(x) == len(y) {
			for i := range x {
				out = differ(out, path+"["+strconv.Itoa(i)+"]", x[i], y[i])
			}
			return out
		}
	}
	a, b := encodeField(was), encodeField(is)
	if bytes.Equal(a, b) {
		return out
	}
	return append(out, FieldChange{Path: path, Was: a, Is: b})
}

func differMaps(out []FieldChange, path string, was, is map[string]any) []FieldChange {
	names := maps.Clone(was)
	if names == nil {
		names = map[string]any{}
	}
	maps.Copy(names, is)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		out = differ(out, path+"."+name, was[name], is[name])
	}
	return out
}

func encodeField(value any) json.RawMessage {
	if value == nil {
		return nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil // nothing that was decoded from JSON, or is strings, does not encode
	}
	return text
}
