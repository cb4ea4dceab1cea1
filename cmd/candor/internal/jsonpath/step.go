package jsonpath

import (
	"encoding/json"
	"maps"
	"slices"
)

// Path is one parsed expression, ".spec.ports[*].name". It is immutable and
// may be shared.
type Path struct {
	text  string
	steps []step
}

// String is the expression as it was written.
func (p Path) String() string { return p.text }

// Find returns every value that the path leads to, in document order; map
// members that a wildcard reaches come in key order. Values are what
// json.Decoder with UseNumber makes.
func (p Path) Find(root any) []any { return walk(root, p.steps) }

func walk(root any, steps []step) []any {
	found := []any{root}
	for _, s := range steps {
		var next []any
		for _, value := range found {
			next = append(next, s.from(value)...)
		}
		found = next
	}
	return found
}

type stepKind uint8

const (
	stepField stepKind = iota
	stepIndex
	stepEach
	stepWhere
)

type step struct {
	kind  stepKind
	field string
	index int
	// where leads from an element to what must be the text equals.
	where  []step
	equals string
}

func (s step) from(value any) []any {
	switch v := value.(type) {
	case map[string]any:
		switch s.kind {
		case stepField:
			if member, ok := v[s.field]; ok {
				return []any{member}
			}
		case stepEach:
			members := make([]any, 0, len(v))
			for _, key := range slices.Sorted(maps.Keys(v)) {
				members = append(members, v[key])
			}
			return members
		case stepIndex, stepWhere:
		}
	case []any:
		switch s.kind {
		case stepIndex:
			at := s.index
			if at < 0 {
				at += len(v)
			}
			if at >= 0 && at < len(v) {
				return []any{v[at]}
			}
		case stepEach:
			return v
		case stepWhere:
			return slices.DeleteFunc(slices.Clone(v), func(element any) bool {
				return !slices.Contains(walk(element, s.where), any(s.equals))
			})
		case stepField:
		}
	}
	return nil
}

// Text is how one value is printed: strings bare, everything else as JSON.
func Text(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	text, err := json.Marshal(value)
	if err != nil {
		// Only values that no JSON decoder makes come here.
		return "?"
	}
	return string(text)
}
