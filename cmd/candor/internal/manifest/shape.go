package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/candor-plane/candor"
)

// form is what a field may hold.
type form uint8

const (
	aString form = iota
	aNumber
	aBool
	aMap
	stringList
	stringMap
	owners
)

func (f form) String() string {
	switch f {
	case aString:
		return "a string"
	case aNumber:
		return "a number"
	case aBool:
		return "true or false"
	case stringList:
		return "a list of strings"
	case owners:
		return "a list of owner references"
	case aMap, stringMap:
	}
	return "an object"
}

var topFields = map[string]form{"apiVersion": aString, "kind": aString, "metadata": aMap, "spec": aMap, "status": aMap}

var metadataFields = map[string]form{
	"name": aString, "namespace": aString, "uid": aString, "generation": aNumber, "resourceVersion": aString,
	"creationTimestamp": aString, "deletionTimestamp": aString, "labels": stringMap, "annotations": stringMap,
	"ownerReferences": owners, "finalizers": stringList,
}

var ownerFields = map[string]form{
	"apiVersion": aString, "kind": aString, "name": aString, "uid": aString, "controller": aBool, "blockOwnerDeletion": aBool,
}

// objects makes the objects of one decoded document: itself, or the items of
// the List that it is.
func (d Document) objects(root any) ([]Document, []problem) {
	fields, ok := root.(map[string]any)
	if !ok {
		return nil, d.wrong("", "want an object with apiVersion, kind and metadata, found %s", describe(root))
	}
	items, isList := fields["items"].([]any)
	if fields["kind"] != "List" || !isList {
		found, problems := d.object(fields)
		if len(problems) > 0 {
			return nil, problems
		}
		return []Document{found}, nil
	}
	var documents []Document
	var problems []problem
	for i, item := range items {
		of := d
		of.within = joined(d.within, fmt.Sprintf("items.%d", i))
		fields, ok := item.(map[string]any)
		if !ok {
			problems = append(problems, of.wrong("", "want an object, found %s", describe(item))...)
			continue
		}
		found, wrong := of.object(fields)
		documents = append(documents, found)
		problems = append(problems, wrong...)
	}
	return documents, problems
}

func (d Document) object(fields map[string]any) (Document, []problem) {
	problems := d.check("", fields, topFields)
	metadata, _ := fields["metadata"].(map[string]any)
	problems = append(problems, d.check("metadata", metadata, metadataFields)...)
	list, _ := metadata["ownerReferences"].([]any)
	for i, owner := range list {
		path := fmt.Sprintf("metadata.ownerReferences[%d]", i)
		reference, ok := owner.(map[string]any)
		if !ok {
			problems = append(problems, d.wrong(path, "want an object, found %s", describe(owner))...)
			continue
		}
		problems = append(problems, d.check(path, reference, ownerFields)...)
	}
	for _, need := range []struct {
		path string
		of   map[string]any
		name string
	}{{"apiVersion", fields, "apiVersion"}, {"kind", fields, "kind"}, {"metadata.name", metadata, "name"}} {
		if text, isText := need.of[need.name].(string); need.of[need.name] == nil || isText && text == "" {
			problems = append(problems, d.wrong(need.path, "is missing")...)
		}
	}
	if len(problems) > 0 {
		return d, problems
	}
	return d.decode(fields)
}

// decode makes the object of fields whose shape is right, and checks its names.
func (d Document) decode(fields map[string]any) (Document, []problem) {
	d.Fields = fields
	text, err := json.Marshal(withoutNulls(fields))
	if err != nil {
		return d, d.wrong("", "%v", err)
	}
	d.Object = new(candor.Object)
	if err := json.Unmarshal(text, d.Object); err != nil {
		return d, d.violation(err)
	}
	m := d.Object.Metadata
	var problems []problem
	for _, check := range []error{
		candor.CheckName("metadata.name", m.Name),
		checkNamespace(m.Namespace),
		candor.CheckLabels("metadata.labels", m.Labels),
		candor.CheckAnnotations("metadata.annotations", m.Annotations),
	} {
		problems = append(problems, d.violation(check)...)
	}
	return d, problems
}

func checkNamespace(name string) error {
	if name == "" {
		return nil
	}
	return candor.CheckNamespace("metadata.namespace", name)
}

// violation places what the vocabulary's checks found.
func (d Document) violation(err error) []problem {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*candor.Error](err); ok && len(e.Fields) > 0 {
		return d.wrong(e.Fields[0].Path, "%s", e.Fields[0].Message)
	}
	return d.wrong("metadata", "%v", err)
}

// check compares members with what is known of them.
func (d Document) check(path string, members map[string]any, known map[string]form) []problem {
	var problems []problem
	for _, name := range slices.Sorted(maps.Keys(members)) {
		at := joined(path, name)
		want, ok := known[name]
		if !ok {
			problems = append(problems, d.wrong(at, "unknown field%s", suggestion(name, known))...)
			continue
		}
		problems = append(problems, d.fits(at, members[name], want)...)
	}
	return problems
}

func (d Document) fits(path string, value any, want form) []problem {
	if value == nil {
		return nil
	}
	ok := false
	switch want {
	case aString:
		_, ok = value.(string)
	case aNumber:
		_, ok = value.(json.Number)
	case aBool:
		_, ok = value.(bool)
	case aMap:
		_, ok = value.(map[string]any)
	case owners:
		_, ok = value.([]any)
	case stringList:
		list, isList := value.([]any)
		ok = isList
		for i, element := range list {
			if element == nil {
				return d.wrong(fmt.Sprintf("%s[%d]", path, i), "want a string, found null")
			}
			if problems := d.fits(fmt.Sprintf("%s[%d]", path, i), element, aString); len(problems) > 0 {
				return problems
			}
		}
	case stringMap:
		members, isMap := value.(map[string]any)
		ok = isMap
		for _, key := range slices.Sorted(maps.Keys(members)) {
			if problems := d.fits(joined(path, key), members[key], aString); len(problems) > 0 {
				return problems
			}
		}
	}
	if ok {
		return nil
	}
	hint := ""
	if _, composite := value.(map[string]any); want == aString && !composite {
		if _, list := value.([]any); !list {
			hint = ": put it in quotes"
		}
	}
	return d.wrong(path, "want %s, found %s%s", want, describe(value), hint)
}

func (d Document) wrong(path, format string, args ...any) []problem {
	return []problem{{line: d.Line(path), place: d.Place(path), path: path, message: fmt.Sprintf(format, args...)}}
}

func describe(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("the text %q", clip(v))
	case json.Number:
		return "the number " + clip(v.String())
	case bool:
		return fmt.Sprintf("the boolean %v", v)
	case []any:
		return "a list"
	}
	return "an object"
}

// clip keeps a hostile manifest from filling a message.
func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}

// withoutNulls copies members, leaving out those that are null, at any depth
// of objects inside objects. Lists stay as they are.
func withoutNulls(members map[string]any) map[string]any {
	kept := make(map[string]any, len(members))
	for key, value := range members {
		inner, ok := value.(map[string]any)
		switch {
		case ok:
			kept[key] = withoutNulls(inner)
		case value != nil:
			kept[key] = value
		}
	}
	return kept
}
