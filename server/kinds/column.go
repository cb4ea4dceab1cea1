package kinds

import (
	"slices"
	"strings"
)

// columnRoots are where the path of a printer column may begin.
var columnRoots = []string{"apiVersion", "kind", "metadata", "spec", "status"}

// checkColumnPath says what is wrong with the path of a printer column, "" for
// nothing. A path is a JSONPath into the object: a root, then steps, each
// .name, [N], [*], ['name'] or [?(@.name=="text")].
func checkColumnPath(path string) (problem string) {
	if len(path) > maxNumber {
		return "is too long"
	}
	root, rest := columnName(strings.TrimPrefix(path, "."))
	if !strings.HasPrefix(path, ".") || !slices.Contains(columnRoots, root) {
		return "want a path that begins with ." + strings.Join(columnRoots, ", .") + suggest(root, columnRoots)
	}
	for rest != "" {
		after, ok := columnStep(rest)
		if !ok {
			return "the step at " + quoted(rest) + ` is none of .name, [0], [*], ['name'] and [?(@.name=="text")]`
		}
		rest = after
	}
	return ""
}

func columnStep(path string) (rest string, ok bool) {
	if after, dotted := strings.CutPrefix(path, "."); dotted {
		name, rest := columnName(after)
		return rest, name != ""
	}
	inside, ok := strings.CutPrefix(path, "[")
	if !ok {
		return path, false
	}
	switch {
	case strings.HasPrefix(inside, "*"):
		rest, ok = strings.CutPrefix(inside[1:], "]")
		return rest, ok
	case strings.HasPrefix(inside, "?(@"):
		return columnFilter(inside[len("?(@"):])
	case strings.HasPrefix(inside, "'") || strings.HasPrefix(inside, `"`):
		name, after, closed := strings.Cut(inside[1:], inside[:1])
		rest, ok = strings.CutPrefix(after, "]")
		return rest, ok && closed && name != ""
	default:
		digits := strings.TrimLeft(inside, "0123456789")
		rest, ok = strings.CutPrefix(digits, "]")
		return rest, ok && len(digits) < len(inside) && len(inside)-len(digits) <= 6
	}
}

// columnFilter reads .name=="text")] with one name or more.
func columnFilter(path string) (rest string, ok bool) {
	names := 0
	for strings.HasPrefix(path, ".") {
		var name string
		if name, path = columnName(path[1:]); name == "" {
			return path, false
		}
		names++
	}
	text, ok := strings.CutPrefix(path, "==")
	if !ok || names == 0 || text == "" || text[0] != '"' && text[0] != '\'' {
		return path, false
	}
	_, after, closed := strings.Cut(text[1:], text[:1])
	rest, ok = strings.CutPrefix(after, ")]")
	return rest, ok && closed
}

func columnName(path string) (name, rest string) {
	end := strings.IndexFunc(path, func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	if end < 0 {
		return path, ""
	}
	return path[:end], path[end:]
}
