package candor

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
)

// The fields of an object's JSON form.
var (
	objectFields   = []string{"apiVersion", "kind", "metadata", "spec", "status"}
	metadataFields = []string{
		"name", "namespace", "uid", "generation", "resourceVersion", "creationTimestamp", "deletionTimestamp",
		"labels", "annotations", "ownerReferences", "finalizers",
	}
)

// checkFields refuses what encoding/json lets pass when it fills a struct: field
// names in another case, fields given twice, and anything after the value. It
// descends into "metadata"; spec and status are their schema's business.
func checkFields(path string, data []byte, known []string) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	opening, err := dec.Token()
	if err != nil {
		return Errorf(ReasonInvalid, "object%s: %v", path, err)
	}
	if opening == nil {
		return nil // null: absent
	}
	if opening != json.Delim('{') {
		return Errorf(ReasonInvalid, "object%s: want a JSON object, have %v", path, opening)
	}
	seen := map[string]bool{}
	for dec.More() {
		name, value, err := member(dec)
		if err != nil {
			return Errorf(ReasonInvalid, "object%s: %v", path, err)
		}
		field := path + "." + clip(name)
		if !slices.Contains(known, name) {
			return invalidField(field[1:], "unknown field %q", clip(name))
		}
		if seen[name] {
			return invalidField(field[1:], "given twice")
		}
		seen[name] = true
		if field == ".metadata" {
			if err := checkFields(field, value, metadataFields); err != nil {
				return err
			}
		}
	}
	if _, err := dec.Token(); err != nil {
		return Errorf(ReasonInvalid, "object%s: %v", path, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return Errorf(ReasonInvalid, "object%s: more than one JSON value", path)
	}
	return nil
}

// member reads the next name and value of the object that dec is in.
func member(dec *json.Decoder) (string, json.RawMessage, error) {
	token, err := dec.Token()
	if err != nil {
		return "", nil, err
	}
	name, _ := token.(string) // a name in a JSON object is always a string
	var value json.RawMessage
	err = dec.Decode(&value)
	return name, value, err
}

// notNull reads JSON's null as absent.
func notNull(part json.RawMessage) json.RawMessage {
	if string(part) == "null" {
		return nil
	}
	return part
}
