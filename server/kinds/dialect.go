package kinds

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// dialectURI is the one dialect that a schema may declare.
const dialectURI = "https://json-schema.org/draft/2020-12/schema"

// preserveKeyword opens a schema, and every schema that applies below it, to
// fields that it does not name.
const preserveKeyword = "x-candor-preserve-unknown-fields"

// maxSubschemas bounds one schema document.
const maxSubschemas = 5000

type holds uint8

const (
	data    holds = iota // a value of the keyword's own
	one                  // a schema
	several              // a list of schemas
	named                // an object whose values are schemas
)

// keyword is what a schema may say. Defaults below a conditional one would
// never apply and are refused.
type keyword struct {
	holds       holds
	conditional bool
}

var keywords = map[string]keyword{
	"$ref": {}, "$anchor": {}, "$comment": {}, "$defs": {holds: named}, "definitions": {holds: named},
	"title": {}, "description": {}, "default": {}, "deprecated": {}, "readOnly": {}, "writeOnly": {}, "examples": {},
	"type": {}, "enum": {}, "const": {}, "format": {},
	"multipleOf": {}, "maximum": {}, "exclusiveMaximum": {}, "minimum": {}, "exclusiveMinimum": {},
	"maxLength": {}, "minLength": {}, "pattern": {},
	"maxItems": {}, "minItems": {}, "uniqueItems": {}, "maxContains": {}, "minContains": {},
	"maxProperties": {}, "minProperties": {}, "required": {}, "dependentRequired": {},

	"properties": {holds: named}, "patternProperties": {holds: named}, "additionalProperties": {holds: one},
	"propertyNames": {holds: one, conditional: true}, "unevaluatedProperties": {holds: one, conditional: true},
	"items": {holds: one}, "prefixItems": {holds: several},
	"contains": {holds: one, conditional: true}, "unevaluatedItems": {holds: one, conditional: true},
	"allOf": {holds: several}, "anyOf": {holds: several, conditional: true}, "oneOf": {holds: several, conditional: true},
	"not": {holds: one, conditional: true}, "if": {holds: one, conditional: true},
	"then": {holds: one, conditional: true}, "else": {holds: one, conditional: true},
	"dependentSchemas": {holds: named, conditional: true},
}

// foreign keywords have a meaning elsewhere that they would not have here.
var foreign = map[string]string{
	"$schema":          "belongs at the root of the schema",
	"$id":              "belongs at the root of the schema",
	"$dynamicRef":      "is not supported: use $ref",
	"$dynamicAnchor":   "is not supported: use $anchor",
	"$recursiveRef":    "is not supported: use $ref",
	"$recursiveAnchor": "is not supported: use $anchor",
	"$vocabulary":      "is not supported",
	"contentEncoding":  "would not be enforced",
	"contentMediaType": "would not be enforced",
	"contentSchema":    "would not be enforced",
	"dependencies":     "is of an older dialect: use dependentRequired or dependentSchemas",
	"additionalItems":  "is of an older dialect: use prefixItems and items",
	"id":               "is of an older dialect: leave it out",
	"nullable":         `is not JSON Schema: add "null" to type`,
	"discriminator":    "is not JSON Schema: use oneOf",
	"example":          "is not JSON Schema: use examples",
	"externalDocs":     "is not JSON Schema: use description",
	"xml":              "is not JSON Schema: leave it out",
}

// counts are the keywords whose value counts something.
var counts = []string{
	"maxLength", "minLength", "maxItems", "minItems", "maxContains", "minContains", "maxProperties", "minProperties",
}

var typeNames = []string{"null", "boolean", "number", "integer", "string", "array", "object"}

// vetting reads a schema document as a person wrote it, before the library
// does: it knows which keyword is nobody's, and where everything stands.
type vetting struct {
	faults  faults
	paths   map[string]string // of every subschema, by JSON pointer
	open    map[string]bool   // the pointers of those that preserve unknown fields
	anchors map[string]bool
	refs    []reference
}

type reference struct{ path, target string }

// vet checks a schema document and removes "$schema" and "$id" at its root.
func vet(doc any) *vetting {
	v := &vetting{paths: map[string]string{}, open: map[string]bool{}, anchors: map[string]bool{}}
	if root, ok := doc.(map[string]any); ok {
		if dialect, has := root["$schema"]; has {
			if name, ok := dialect.(string); !ok || strings.TrimSuffix(name, "#") != dialectURI {
				v.faults.addf(0, ".$schema", "got %s, want %q or none", show(dialect), dialectURI)
			}
			delete(root, "$schema")
		}
		delete(root, "$id")
	}
	v.schema(doc, "", "", false)
	for _, ref := range v.refs {
		v.reference(ref)
	}
	if len(v.paths) > maxSubschemas {
		v.faults.addf(0, "", "has %d subschemas; at most %d are allowed", len(v.paths), maxSubschemas)
	}
	return v
}

func (v *vetting) schema(doc any, pointer, path string, conditional bool) {
	v.paths[pointer] = path
	if _, ok := doc.(bool); ok {
		return
	}
	schema, ok := doc.(map[string]any)
	if !ok {
		v.faults.addf(0, path, "got %s, want a schema: an object or a boolean", show(doc))
		return
	}
	for _, name := range slices.Sorted(maps.Keys(schema)) {
		value, at := schema[name], path+keyPath(name)
		known, ok := keywords[name]
		if !ok {
			v.extension(name, value, pointer, at)
			continue
		}
		v.keyword(name, value, at, conditional)
		v.below(known, value, pointer+"/"+escapePointer(name), at, conditional && name != "$defs" && name != "definitions")
	}
}

func (v *vetting) below(k keyword, value any, pointer, path string, conditional bool) {
	conditional = conditional || k.conditional
	switch k.holds {
	case data:
	case one:
		v.schema(value, pointer, path, conditional)
	case several:
		list, _ := value.([]any) // the metaschema refuses another
		for i, item := range list {
			v.schema(item, pointer+"/"+strconv.Itoa(i), path+"["+strconv.Itoa(i)+"]", conditional)
		}
	case named:
		members, _ := value.(map[string]any) // the metaschema refuses another
		for _, name := range slices.Sorted(maps.Keys(members)) {
			v.schema(members[name], pointer+"/"+escapePointer(name), path+keyPath(name), conditional)
		}
	}
}

func (v *vetting) keyword(name string, value any, path string, conditional bool) {
	text, isText := value.(string)
	switch name {
	case "type":
		v.types(value, path)
	case "format":
		if isText && !slices.Contains(formatNames, text) {
			v.faults.addf(0, path, "format %s is not checked here%s; the formats are %s",
				quoted(text), suggest(text, formatNames), strings.Join(formatNames, ", "))
		}
	case "pattern":
		if isText {
			v.pattern(text, path)
		}
	case "patternProperties":
		members, _ := value.(map[string]any) // the metaschema refuses another
		for _, pattern := range slices.Sorted(maps.Keys(members)) {
			v.pattern(pattern, path)
		}
	case "$anchor":
		v.anchors[text] = true
	case "$ref":
		v.refs = append(v.refs, reference{path, text})
	case "default":
		if conditional {
			v.faults.addf(0, path, "would never apply: a default may not stand below a condition such as anyOf, oneOf, not, if or contains")
		}
	}
	if number, ok := value.(json.Number); ok && slices.Contains(counts, name) {
		if n, err := number.Int64(); err == nil && n > 1<<31-1 {
			v.faults.addf(0, path, "got %s, want at most %d", number, 1<<31-1)
		}
	}
}

func (v *vetting) types(value any, path string) {
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	for _, item := range list {
		name, ok := item.(string)
		if !ok || !slices.Contains(typeNames, name) {
			v.faults.addf(0, path, "%s is no type%s; the types are %s", show(item), suggest(name, typeNames), strings.Join(typeNames, ", "))
		}
	}
}

func (v *vetting) pattern(text, path string) {
	if _, err := compilePattern(text); err != nil {
		v.faults.addf(0, path, "pattern %s: %v; patterns follow RE2", quoted(text), err)
	}
}

func (v *vetting) extension(name string, value any, pointer, path string) {
	hint, isForeign := foreign[name]
	switch {
	case name == preserveKeyword:
		open, ok := value.(bool)
		if !ok {
			v.faults.addf(0, path, "got %s, want true or false", show(value))
		}
		v.open[pointer] = open
	case isForeign:
		v.faults.addf(0, path, "%s", hint)
	case strings.HasPrefix(name, "x-candor-"):
		v.faults.addf(0, path, "unknown keyword%s", suggest(name, []string{preserveKeyword}))
	case strings.HasPrefix(name, "x-kubernetes-"):
		v.faults.addf(0, path, "would not be enforced%s", map[bool]string{true: ": use " + preserveKeyword}[strings.HasSuffix(name, "-preserve-unknown-fields")])
	case !strings.HasPrefix(name, "x-"):
		v.faults.addf(0, path, "unknown keyword%s", suggest(name, slices.Sorted(maps.Keys(keywords))))
	}
}

func (v *vetting) reference(ref reference) {
	fragment, local := strings.CutPrefix(ref.target, "#")
	if !local {
		v.faults.addf(0, ref.path, "%s leaves the document: only references that begin with # are followed", quoted(ref.target))
		return
	}
	pointer, err := url.PathUnescape(fragment)
	if err != nil {
		v.faults.addf(0, ref.path, "%s is no reference: %v", quoted(ref.target), err)
		return
	}
	_, isSchema := v.paths[pointer]
	if !isSchema && !v.anchors[pointer] {
		v.faults.addf(0, ref.path, "%s names no schema of this document", quoted(ref.target))
	}
}

// pathOf is the path of the subschema at a location as the library names it.
func (v *vetting) pathOf(location string) string { return v.paths[pointerOf(location)] }

func pointerOf(location string) string {
	_, fragment, _ := strings.Cut(location, "#")
	pointer, err := url.PathUnescape(fragment)
	if err != nil {
		return fragment
	}
	return pointer
}

func escapePointer(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1")
}

// show prints a decoded value for a message.
func show(v any) string {
	switch v := v.(type) {
	case string:
		return quoted(v)
	case map[string]any:
		return "an object"
	case []any:
		return "an array"
	case nil:
		return "null"
	default:
		return clip(fmt.Sprint(v))
	}
}
