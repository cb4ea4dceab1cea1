package manifest

import (
	"fmt"

	"github.com/candor-plane/candor"
)

// Document is one object of a manifest. It belongs to its reader.
type Document struct {
	// Source is the file as it was named, or "stdin".
	Source string
	// Number counts the documents of the source that are not empty, from 1;
	// the items of a List share theirs.
	Number int
	// Object is the manifest as an object. A field that was null is absent.
	Object *candor.Object
	// Fields is the same as it was written, nulls included, with numbers as
	// json.Number.
	Fields map[string]any

	lines lines
	// within is the path of the object in its document: "items.3" in a List.
	within string
}

// Line is where a field stands in the source, from 1: the field's own line or
// that of the nearest field around it. A path is written "spec.ports[0].name"
// or "/spec/ports/0/name".
func (d Document) Line(path string) int { return d.lines.find(d.within, path) }

// Place says where a field is: "web.yaml:12: document 2".
func (d Document) Place(path string) string {
	return place(d.Source, d.Number, d.Line(path))
}

func place(source string, number, line int) string {
	return fmt.Sprintf("%s:%d: document %d", source, line, number)
}

// problem is one thing that is wrong with a manifest.
type problem struct {
	line    int
	place   string
	path    string
	message string
}

func (p problem) String() string {
	if p.path == "" {
		return p.place + ": " + p.message
	}
	return p.place + ": " + p.path + ": " + p.message
}

// refusal makes one Error of reason INVALID from all problems of a source, or
// nil when there is none.
func refusal(source string, problems []problem) error {
	if len(problems) == 0 {
		return nil
	}
	message := problems[0].String()
	if more := len(problems) - 1; more > 0 {
		message += fmt.Sprintf(" (and %d more)", more)
	}
	e := &candor.Error{Reason: candor.ReasonInvalid, Subject: source, Message: message}
	for _, p := range problems {
		at := p.place
		if p.path != "" {
			at += ": " + p.path
		}
		e.Fields = append(e.Fields, candor.FieldViolation{Path: at, Message: p.message})
	}
	return e
}
