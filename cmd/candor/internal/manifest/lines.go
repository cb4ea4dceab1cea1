package manifest

import (
	"bytes"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// lines says at which line of its source each field stands. Keys are paths
// joined by dots, "spec.ports.0.name"; "" is the document itself.
type lines map[string]int

// find looks a path up below a prefix and climbs until something is known.
func (l lines) find(within, path string) int {
	path = joined(within, normal(path))
	for {
		if line, ok := l[path]; ok {
			return line
		}
		cut := strings.LastIndexByte(path, '.')
		if cut < 0 {
			return max(l[""], 1)
		}
		path = path[:cut]
	}
}

var (
	brackets = strings.NewReplacer("[", ".", "]", "", `"`, "", "'", "")
	slashes  = strings.NewReplacer("/", ".", "~1", "/", "~0", "~")
)

// normal turns "spec.ports[0]" and the JSON pointer "/spec/ports/0" into the
// form of the keys.
func normal(path string) string {
	if pointer, ok := strings.CutPrefix(path, "/"); ok {
		return slashes.Replace(pointer)
	}
	return strings.TrimLeft(brackets.Replace(path), ".")
}

func joined(path, key string) string {
	switch {
	case path == "":
		return key
	case key == "":
		return path
	}
	return path + "." + key
}

// oddKey is a field name that YAML 1.1 reads as something other than text.
type oddKey struct {
	line    int
	message string
}

// yamlLines indexes a document by parsing it once more into nodes. Values come
// from the strict parser alone; where the two disagree a line is missing and
// find climbs.
func yamlLines(c chunk) (lines, *oddKey) {
	found := lines{"": firstContentLine(c)}
	var root yaml.Node
	if err := yaml.Unmarshal(c.text, &root); err != nil {
		return found, nil
	}
	return found, found.addNode("", &root, c.line-1)
}

func (l lines) addNode(path string, n *yaml.Node, before int) *oddKey {
	switch n.Kind {
	case yaml.DocumentNode:
		for _, child := range n.Content {
			if odd := l.addNode(path, child, before); odd != nil {
				return odd
			}
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			name := n.Content[i]
			if name.Style == 0 && readsAsBool(name.Value) {
				return &oddKey{name.Line + before, "field name " + name.Value + " reads as a boolean in YAML: put it in quotes"}
			}
			key := joined(path, name.Value)
			l[key] = name.Line + before
			if odd := l.addNode(key, n.Content[i+1], before); odd != nil {
				return odd
			}
		}
	case yaml.SequenceNode:
		for i, child := range n.Content {
			key := joined(path, strconv.Itoa(i))
			l[key] = child.Line + before
			if odd := l.addNode(key, child, before); odd != nil {
				return odd
			}
		}
	case yaml.ScalarNode, yaml.AliasNode:
	}
	return nil
}

// readsAsBool is YAML 1.1's table of booleans; a field of such a name would
// silently become "true" or "false".
func readsAsBool(name string) bool {
	switch strings.ToLower(name) {
	case "y", "n", "yes", "no", "on", "off", "true", "false":
		return true
	}
	return false
}

func firstContentLine(c chunk) int {
	number := c.line
	for line := range bytes.Lines(c.text) {
		if hasContent(line) {
			return number
		}
		number++
	}
	return c.line
}
