package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/candor-plane/candor"
)

// ListHeader is what a list says of itself beside its items.
type ListHeader struct {
	// Revision is the one that the whole list is of; 0 when its parts are of
	// several.
	Revision uint64
	// Continue asks for the rest; empty when there is none.
	Continue string
	// Witness is the answer's; nil when there was more than one answer.
	Witness *candor.Witness
}

type listHead struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Metadata   listMetadata    `json:"metadata"`
	Revision   uint64          `json:"revision,omitempty"`
	Witness    *candor.Witness `json:"witness,omitempty"`
}

type listMetadata struct {
	ResourceVersion string `json:"resourceVersion,omitempty"`
	Continue        string `json:"continue,omitempty"`
}

func (h ListHeader) head() listHead {
	head := listHead{APIVersion: candor.APIVersion, Kind: "List", Revision: h.Revision, Witness: h.Witness}
	head.Metadata.Continue = h.Continue
	if h.Revision > 0 {
		head.Metadata.ResourceVersion = strconv.FormatUint(h.Revision, 10)
	}
	return head
}

// List writes a list. JSON and YAML are written item by item as they come; a
// template needs them all. An error among the items ends the list there and is
// returned: what was written is then no whole document, and does not parse as
// one. The format must be Structured.
func (f Format) List(out io.Writer, header ListHeader, items iter.Seq2[*candor.Object, error]) error {
	switch f.word {
	case "json":
		return listJSON(out, header.head(), items)
	case "yaml":
		return listYAML(out, header.head(), items)
	}
	return f.listTemplate(out, header.head(), items)
}

func listJSON(out io.Writer, head listHead, items iter.Seq2[*candor.Object, error]) error {
	text, err := marshal(head)
	if err != nil {
		return err
	}
	var start bytes.Buffer
	if err := json.Indent(&start, text, "", "  "); err != nil {
		return err
	}
	if _, err := io.WriteString(out, strings.TrimSuffix(start.String(), "\n}")+",\n  \"items\": ["); err != nil {
		return err
	}
	written := 0
	for item, err := range items {
		if err != nil {
			return err
		}
		text, err := marshal(item)
		if err != nil {
			return err
		}
		var indented bytes.Buffer
		indented.WriteString([]string{"\n    ", ",\n    "}[min(written, 1)])
		if err := json.Indent(&indented, text, "    ", "  "); err != nil {
			return err
		}
		if _, err := indented.WriteTo(out); err != nil {
			return err
		}
		written++
	}
	end := "]\n}\n"
	if written > 0 {
		end = "\n  " + end
	}
	_, err = io.WriteString(out, end)
	return err
}

// listYAML spoils the document when an error ends the list, for a YAML list
// that merely stops looks like a whole one.
func listYAML(out io.Writer, head listHead, items iter.Seq2[*candor.Object, error]) error {
	text, err := YAML(head)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(out, text); err != nil {
		return err
	}
	written := 0
	for item, err := range items {
		if err != nil {
			_, spoiled := io.WriteString(out, "}: this list is not complete\n")
			return errors.Join(err, spoiled)
		}
		text, err := YAML(item)
		if err != nil {
			return err
		}
		start := ""
		if written == 0 {
			start = "items:\n"
		}
		body := strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ")
		if _, err := io.WriteString(out, start+"- "+body+"\n"); err != nil {
			return err
		}
		written++
	}
	if written == 0 {
		_, err = io.WriteString(out, "items: []\n")
	}
	return err
}

// YAML is a value as a YAML document.
func YAML(value any) (string, error) {
	text, err := marshal(value)
	if err != nil {
		return "", err
	}
	text, err = yaml.JSONToYAML(text)
	return string(text), err
}

func (f Format) listTemplate(out io.Writer, head listHead, items iter.Seq2[*candor.Object, error]) error {
	text, err := marshal(head)
	if err != nil {
		return err
	}
	root, err := decodeJSON(text)
	if err != nil {
		return err
	}
	all := []any{}
	for item, err := range items {
		if err != nil {
			return err
		}
		decoded, err := Decoded(item)
		if err != nil {
			return err
		}
		all = append(all, decoded)
	}
	members, _ := root.(map[string]any)
	members["items"] = all
	return f.execute(out, members)
}
