package schema

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// Layout is how an explanation is laid out.
type Layout struct {
	Kind       string
	APIVersion string
	// Width is where text is wrapped.
	Width     int
	Recursive bool
	// Heading styles titles.
	Heading func(string) string
}

// A schema may contain itself, several times over: mostDepth bounds fields
// inside fields, mostText the whole.
const (
	mostDepth = 8
	mostText  = 256 << 10
)

// Explain is the field in words, for people.
func (f Field) Explain(l Layout) string {
	var out strings.Builder
	line := func(title, text string) {
		if text != "" {
			fmt.Fprintf(&out, "%s %s\n", l.Heading(title+":"), text)
		}
	}
	schema := f.resolved(f.schema)
	line("Kind", l.Kind)
	line("Version", l.APIVersion)
	if len(f.path) > 0 {
		line("Field", strings.Join(f.path, ".")+" <"+f.typed(schema)+">"+f.mark())
	}
	for _, fact := range facts(schema) {
		line(fact[0], fact[1])
	}
	if text := description(schema); text != "" {
		fmt.Fprintf(&out, "\n%s\n", wrapped(text, l.Width, ""))
	}
	if len(f.names()) > 0 {
		fmt.Fprintf(&out, "\n%s\n", l.Heading("Fields:"))
		f.fields(&out, l, 1)
	}
	return out.String()
}

func (f Field) fields(out *strings.Builder, l Layout, depth int) {
	indent := strings.Repeat("  ", depth)
	for _, name := range f.names() {
		if out.Len() > mostText {
			return
		}
		child, _ := f.child(name)
		schema := child.resolved(child.schema)
		fmt.Fprintf(out, "%s%s <%s>%s\n", indent, output.Clean(name), child.typed(schema), child.mark())
		if l.Recursive {
			if depth < mostDepth {
				child.fields(out, l, depth+1)
			}
			continue
		}
		for _, fact := range facts(schema) {
			fmt.Fprintf(out, "%s  %s: %s\n", indent, strings.ToLower(fact[0]), fact[1])
		}
		if text := description(schema); text != "" {
			fmt.Fprintf(out, "%s\n", wrapped(text, l.Width, indent+"  "))
		}
	}
}

func (f Field) mark() string {
	if f.required {
		return " required"
	}
	return ""
}

// typed is a schema's type in a word: "string", "[]integer", "map[string]string".
func (f Field) typed(schema map[string]any) string {
	return f.typedWithin(schema, mostDepth)
}

func (f Field) typedWithin(schema map[string]any, depth int) string {
	if ref, ok := schema["$ref"].(string); ok || depth == 0 {
		return output.Clean("reference " + ref)
	}
	if items, ok := schema["items"].(map[string]any); ok {
		return "[]" + f.typedWithin(f.resolved(items), depth-1)
	}
	if _, has := schema["properties"]; has {
		return "object"
	}
	if values, ok := schema["additionalProperties"].(map[string]any); ok {
		return "map[string]" + f.typedWithin(f.resolved(values), depth-1)
	}
	switch t := schema["type"].(type) {
	case string:
		return output.Clean(t)
	case []any:
		var words []string
		for _, word := range t {
			words = append(words, fmt.Sprint(word))
		}
		return output.Clean(strings.Join(words, " or "))
	}
	if values, ok := schema["enum"].([]any); ok && len(values) > 0 {
		if _, text := values[0].(string); text {
			return "string"
		}
	}
	return "any"
}

func description(schema map[string]any) string {
	text, _ := schema["description"].(string)
	return text
}

// facts are what a schema says of values, in a fixed order.
func facts(schema map[string]any) [][2]string {
	var found [][2]string
	for _, key := range []struct{ key, title string }{
		{"enum", "One of"}, {"const", "Always"}, {"default", "Default"}, {"format", "Format"}, {"pattern", "Pattern"},
		{"minimum", "At least"}, {"exclusiveMinimum", "More than"}, {"maximum", "At most"}, {"exclusiveMaximum", "Less than"},
		{"multipleOf", "Multiple of"}, {"minLength", "Length at least"}, {"maxLength", "Length at most"},
		{"minItems", "Items at least"}, {"maxItems", "Items at most"}, {"minProperties", "Members at least"}, {"maxProperties", "Members at most"},
	} {
		if value, ok := schema[key.key]; ok {
			found = append(found, [2]string{key.title, plain(value)})
		}
	}
	return found
}

func plain(value any) string {
	switch v := value.(type) {
	case string:
		return output.Clean(v)
	case []any:
		words := make([]string, len(v))
		for i := range v {
			words[i] = plain(v[i])
		}
		return strings.Join(words, ", ")
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "?"
	}
	return output.Clean(string(text))
}

// wrapped breaks text at blanks so that lines fit.
func wrapped(text string, width int, indent string) string {
	var lines []string
	line := indent
	for word := range strings.FieldsSeq(output.Clean(strings.ReplaceAll(text, "\n", " "))) {
		if len([]rune(line))+1+len([]rune(word)) > width && line != indent {
			lines = append(lines, line)
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	return strings.Join(append(lines, line), "\n")
}
