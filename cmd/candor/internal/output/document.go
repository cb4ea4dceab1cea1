package output

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/candor-plane/candor"
)

// Document writes one value as JSON, YAML or through a template. The format
// must be Structured.
func (f Format) Document(out io.Writer, value any) error {
	text, err := marshal(value)
	if err != nil {
		return err
	}
	switch f.word {
	case "json":
		var indented bytes.Buffer
		if err := json.Indent(&indented, text, "", "  "); err != nil {
			return err
		}
		indented.WriteByte('\n')
		_, err = indented.WriteTo(out)
		return err
	case "yaml":
		text, err = yaml.JSONToYAML(text)
		if err != nil {
			return err
		}
		_, err = out.Write(text)
		return err
	}
	root, err := decodeJSON(text)
	if err != nil {
		return err
	}
	return f.execute(out, root)
}

// execute runs the template and ends the line, unless the template did.
func (f Format) execute(out io.Writer, root any) error {
	var text strings.Builder
	if err := f.template.Execute(&text, root); err != nil {
		return err
	}
	if text.Len() > 0 && !strings.HasSuffix(text.String(), "\n") {
		text.WriteByte('\n')
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// Line writes one value as one line of JSON.
func Line(out io.Writer, value any) error {
	text, err := marshal(value)
	if err != nil {
		return err
	}
	_, err = out.Write(append(text, '\n'))
	return err
}

// marshal leaves <, > and & as they are: nothing here goes into a web page.
func marshal(value any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, candor.Errorf(candor.ReasonInternal, "output: %v", err)
	}
	return unescaped(bytes.TrimRight(out.Bytes(), "\n")), nil
}

// unescaped turns \u003c, \u003e and \u0026 back, which a nested MarshalJSON
// may have made. In JSON a backslash stands in strings alone, and takes the
// character after it with it.
func unescaped(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			out = append(out, text[i])
			continue
		}
		switch {
		case bytes.HasPrefix(text[i:], []byte(`\u003c`)):
			out, i = append(out, '<'), i+5
		case bytes.HasPrefix(text[i:], []byte(`\u003e`)):
			out, i = append(out, '>'), i+5
		case bytes.HasPrefix(text[i:], []byte(`\u0026`)):
			out, i = append(out, '&'), i+5
		default:
			out, i = append(out, text[i], text[i+1]), i+1
		}
	}
	return out
}
