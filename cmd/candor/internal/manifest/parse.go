package manifest

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"sigs.k8s.io/yaml"
)

// value is one decoded document, before anything is known of its shape.
type value struct {
	root  any
	lines lines
}

// parse returns what is well formed and everything that is not; the caller
// uses the documents only when there is no problem.
func parse(source string, data []byte) ([]Document, []problem) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		return nil, []problem{*malformed(source, 1, firstBadLine(data), "is not UTF-8 text")}
	}
	values, wrong := decode(source, data)
	if wrong != nil {
		return nil, []problem{*wrong}
	}
	var documents []Document
	var problems []problem
	for i, v := range values {
		d := Document{Source: source, Number: i + 1, lines: v.lines}
		found, wrong := d.objects(v.root)
		slices.SortStableFunc(wrong, func(a, b problem) int { return a.line - b.line })
		documents = append(documents, found...)
		problems = append(problems, wrong...)
	}
	return documents, problems
}

// decode reads JSON where the text is JSON, otherwise YAML. Text that begins
// like JSON may be YAML's flow form; if it is neither, the complaint is told of
// the one that came further, JSON's if they came to the same line.
func decode(source string, data []byte) ([]value, *problem) {
	jsonOnly := strings.HasSuffix(strings.ToLower(source), ".json")
	first := bytes.TrimLeft(data, " \t\r\n")
	if !jsonOnly && (len(first) == 0 || first[0] != '{') {
		return decodeYAML(source, data)
	}
	values, wrong := decodeJSON(source, data)
	if wrong == nil || jsonOnly {
		return values, wrong
	}
	flow, not := decodeYAML(source, data)
	if not == nil || not.line > wrong.line {
		return flow, not
	}
	return nil, wrong
}

func decodeYAML(source string, data []byte) ([]value, *problem) {
	var values []value
	for _, c := range split(data) {
		converted, err := yaml.YAMLToJSONStrict(c.text)
		if err != nil {
			line, message := yamlComplaint(err, c.line)
			return nil, malformed(source, len(values)+1, line, message)
		}
		found, odd := yamlLines(c)
		if odd != nil {
			return nil, malformed(source, len(values)+1, odd.line, odd.message)
		}
		dec := json.NewDecoder(bytes.NewReader(converted))
		dec.UseNumber()
		v := value{lines: found}
		if err := dec.Decode(&v.root); err != nil {
			return nil, malformed(source, len(values)+1, c.line, err.Error())
		}
		if v.root != nil {
			values = append(values, v)
		}
	}
	return values, nil
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// yamlComplaint takes the line out of the library's message, for it counts
// from the start of the document. The line is only shown, never acted on.
func yamlComplaint(err error, start int) (line int, message string) {
	message = err.Error()
	for _, noise := range []string{"error converting YAML to JSON: ", "yaml: ", "unmarshal errors:\n  "} {
		message = strings.TrimPrefix(message, noise)
	}
	line = start
	if at := yamlLine.FindStringSubmatchIndex(message); at != nil {
		if n, err := strconv.Atoi(message[at[2]:at[3]]); err == nil {
			line = start + n - 1
		}
		message = message[:at[0]] + message[at[1]:]
	}
	message, _, more := strings.Cut(message, "\n")
	if more {
		message += " (and more)"
	}
	return line, "malformed YAML: " + message
}

func decodeJSON(source string, data []byte) ([]value, *problem) {
	var values []value
	w := newJSONWalker(data)
	for w.more() {
		root, found, err := w.document()
		if err != nil {
			return nil, malformed(source, len(values)+1, w.line(), "malformed JSON: "+err.Error())
		}
		values = append(values, value{root: root, lines: found})
	}
	return values, nil
}

func malformed(source string, number, line int, message string) *problem {
	return &problem{line: line, place: place(source, number, line), message: message}
}

func firstBadLine(data []byte) int {
	for number, text := range bytes.Split(data, []byte("\n")) {
		if !utf8.Valid(text) {
			return number + 1
		}
	}
	return 1
}
