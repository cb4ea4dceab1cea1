package output

import (
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/jsonpath"
)

// Format is what -o asks for. The zero Format is a table.
type Format struct {
	word     string
	template *jsonpath.Template
}

// The formats. jsonpath=… is made by ParseFormat alone.
var (
	TableFormat = Format{word: "table"}
	WideFormat  = Format{word: "wide"}
	JSONFormat  = Format{word: "json"}
	YAMLFormat  = Format{word: "yaml"}
	NameFormat  = Format{word: "name"}
)

// FormatWords are what -o takes, for help and completion.
var FormatWords = []string{"table", "wide", "json", "yaml", "name", "jsonpath="}

// ParseFormat reads the value of -o.
func ParseFormat(text string) (Format, error) {
	if template, ok := strings.CutPrefix(text, "jsonpath="); ok {
		parsed, err := jsonpath.Parse(template)
		return Format{word: "jsonpath", template: parsed}, err
	}
	switch text {
	case "", "table":
		return TableFormat, nil
	case "wide":
		return WideFormat, nil
	case "json":
		return JSONFormat, nil
	case "yaml":
		return YAMLFormat, nil
	case "name":
		return NameFormat, nil
	}
	return Format{}, &candor.Error{
		Reason: candor.ReasonUsage, Subject: "-o",
		Message: "output format \"" + Clean(text) + "\": want table, wide, json, yaml, name or jsonpath=TEMPLATE",
	}
}

// String is the format's word, "jsonpath" without its template.
func (f Format) String() string {
	if f.word == "" {
		return "table"
	}
	return f.word
}

// Table says whether the format is for people.
func (f Format) Table() bool { return f.String() == "table" || f.word == "wide" }

// Wide says whether every column was asked for.
func (f Format) Wide() bool { return f.word == "wide" }

// Structured says whether the format takes a document: JSON, YAML or a
// template over it.
func (f Format) Structured() bool {
	return f.word == "json" || f.word == "yaml" || f.word == "jsonpath"
}
