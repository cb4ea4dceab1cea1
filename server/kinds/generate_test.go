package kinds_test

import (
	"encoding/json"
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

// names are few, so that schemas and documents meet.
var names = []string{"a", "b", "c", "replicas", "x-1", "ü", "a\"b"}

// schemaText draws a schema that describes objects. With defaults, properties
// may have some; explicit schemas say of every object which fields it may have.
type schemaText struct {
	t                  *rapid.T
	defaults, explicit bool
}

func (g schemaText) object(depth int) map[string]any {
	properties := map[string]any{}
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 4, rapid.ID[string]).Draw(g.t, "properties") {
		properties[name] = g.value(depth - 1)
	}
	s := map[string]any{"type": "object", "properties": properties}
	if g.chance("required") {
		s["required"] = rapid.SliceOfNDistinct(rapid.SampledFrom(append(keys(properties), "a")), 0, 2, rapid.ID[string]).Draw(g.t, "names")
		if !g.explicit {
			s["required"] = keys(properties)[:min(1, len(properties))]
		}
	}
	if g.explicit || g.chance("additional") {
		s["additionalProperties"] = rapid.SampledFrom([]any{true, false, map[string]any{"type": "integer"}, g.value(depth - 1)}).Draw(g.t, "additionalProperties")
	}
	if g.chance("patterns") {
		s["patternProperties"] = map[string]any{rapid.SampledFrom([]string{"^x-", "[ab]", "ü"}).Draw(g.t, "pattern"): g.value(depth - 1)}
	}
	if g.chance("members") {
		s[rapid.SampledFrom([]string{"minProperties", "maxProperties"}).Draw(g.t, "bound")] = rapid.IntRange(0, 4).Draw(g.t, "n")
	}
	if g.explicit {
		g.combine(s, depth)
	}
	return s
}

// combine adds keywords that a shape cannot prove.
func (g schemaText) combine(s map[string]any, depth int) {
	if depth <= 0 || !g.chance("combine") {
		return
	}
	other := schemaText{t: g.t, explicit: true}
	switch rapid.IntRange(0, 6).Draw(g.t, "combination") {
	case 0:
		s["allOf"] = []any{other.object(depth - 1), other.value(depth - 1)}
	case 1:
		s["anyOf"] = []any{other.object(depth - 1), other.value(depth - 1)}
	case 2:
		s["oneOf"] = []any{other.object(depth - 1), other.value(depth - 1)}
	case 3:
		s["not"] = other.value(depth - 1)
	case 4:
		s["if"], s["then"], s["else"] = other.object(depth-1), other.object(depth-1), other.object(depth-1)
	case 5:
		s["propertyNames"] = map[string]any{"maxLength": rapid.IntRange(1, 8).Draw(g.t, "maxLength")}
	case 6:
		s["dependentRequired"] = map[string]any{"a": []string{"b"}}
	}
}

func (g schemaText) value(depth int) any {
	most := 7
	if depth <= 0 {
		most = 4
	}
	var s map[string]any
	switch rapid.IntRange(0, most).Draw(g.t, "kind") {
	case 0:
		s = map[string]any{"type": "string"}
		if g.chance("length") {
			s[rapid.SampledFrom([]string{"minLength", "maxLength"}).Draw(g.t, "bound")] = rapid.IntRange(0, 4).Draw(g.t, "n")
		}
		if g.chance("pattern") {
			s["pattern"] = rapid.SampledFrom([]string{"^a", "ü", "^[a-z]*$"}).Draw(g.t, "pattern")
		}
		g.fallback(s, "abc", "")
	case 1:
		s = map[string]any{"type": rapid.SampledFrom([]any{"integer", "number", []string{"integer", "null"}}).Draw(g.t, "type")}
		for _, bound := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"} {
			if g.chance(bound) {
				s[bound] = json.Number(rapid.SampledFrom([]string{"1", "2", "0.5", "3", "9007199254740993", "1e2"}).Draw(g.t, "n"))
			}
		}
		g.fallback(s, 1, 2, 3)
	case 2:
		s = map[string]any{"enum": []any{"abc", 1, json.Number("2.0"), nil, true}}
		g.fallback(s, "abc", nil)
	case 3:
		s = map[string]any{"type": []any{"boolean", "null"}}
		g.fallback(s, true, nil)
	case 4:
		return rapid.Bool().Draw(g.t, "schema")
	case 5:
		s = map[string]any{"type": "array", "items": g.value(depth - 1)}
		if g.chance("items") {
			s[rapid.SampledFrom([]string{"minItems", "maxItems"}).Draw(g.t, "bound")] = rapid.IntRange(0, 3).Draw(g.t, "n")
		}
		if g.chance("unique") {
			s["uniqueItems"] = true
		}
		if g.chance("prefix") {
			s["prefixItems"] = []any{g.value(depth - 1)}
		}
	default:
		s = g.object(depth)
		g.fallback(s, map[string]any{})
	}
	return s
}

func (g schemaText) fallback(s map[string]any, values ...any) {
	if g.defaults && g.chance("default") {
		s["default"] = rapid.SampledFrom(values).Draw(g.t, "default")
	}
}

func (g schemaText) chance(of string) bool { return rapid.IntRange(0, 3).Draw(g.t, of) == 0 }

// documentText draws an object as a client might write it.
type documentText struct{ t *rapid.T }

func (g documentText) object(depth int) string {
	var b strings.Builder
	b.WriteString("{" + g.space())
	for i, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 5, rapid.ID[string]).Draw(g.t, "members") {
		if i > 0 {
			b.WriteString("," + g.space())
		}
		b.WriteString(g.text(name) + g.space() + ":" + g.value(depth-1))
	}
	return b.String() + "}"
}

func (g documentText) value(depth int) string {
	most := 5
	if depth <= 0 {
		most = 3
	}
	switch rapid.IntRange(0, most).Draw(g.t, "kind") {
	case 0:
		return g.text(rapid.SampledFrom([]string{"abc", "", "a", "ü", "<&>", "line\nbreak"}).Draw(g.t, "string"))
	case 1, 2:
		return rapid.SampledFrom([]string{
			"0", "1", "2", "3", "-1", "1.0", "2.0", "0.5", "1.50", "1e2", "100", "9007199254740993", "9007199254740992",
			"123456789012345678901234567890", "-0", "1E-2", "0.1000000000000000055511151231257827",
		}).Draw(g.t, "number")
	case 3:
		return rapid.SampledFrom([]string{"true", "false", "null"}).Draw(g.t, "word")
	case 4:
		n := rapid.IntRange(0, 3).Draw(g.t, "items")
		items := make([]string, n)
		for i := range items {
			items[i] = g.value(depth - 1)
		}
		return "[" + strings.Join(items, ","+g.space()) + g.space() + "]"
	default:
		return g.object(depth)
	}
}

// text writes a string in one of the ways that mean the same.
func (g documentText) text(s string) string {
	if rapid.IntRange(0, 9).Draw(g.t, "escape") == 0 {
		var b strings.Builder
		for _, r := range s {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		return `"` + b.String() + `"`
	}
	out, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(out)
}

func (g documentText) space() string {
	return rapid.SampledFrom([]string{"", "", "", " ", "\n\t"}).Draw(g.t, "space")
}
