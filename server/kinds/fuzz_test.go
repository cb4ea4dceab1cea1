package kinds_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/candor-plane/candor"
)

// FuzzSchema compiles arbitrary JSON as a schema: it is refused with a path or
// works; it never panics, hangs or loads anything.
func FuzzSchema(f *testing.F) {
	for _, schema := range []string{
		benchSchema, flatSchema, `{}`, `true`, `{"$ref":"#"}`, `{"properties":{"a":{"$ref":"#/$defs/a"}},"$defs":{"a":{"$ref":"#"}}}`,
		`{"allOf":[{"properties":{"a":{"default":{}}}}],"oneOf":[{},{}],"if":{},"then":false}`,
		`{"patternProperties":{"^a":{"type":"integer","multipleOf":0.1}},"unevaluatedProperties":false}`,
		`{"prefixItems":[{"const":1}],"items":{"enum":[1,"a",null]},"uniqueItems":true,"contains":{}}`,
	} {
		f.Add(schema, `{"a":{"b":[1,2.5,"x"]},"replicas":3}`)
	}
	f.Fuzz(func(t *testing.T, schema, spec string) {
		if !json.Valid([]byte(schema)) {
			return
		}
		k, err := web(t, schema, "")
		if err != nil {
			invalid(t, err)
			return
		}
		prepareTwice(t, k.Prepare, spec)
	})
}

// FuzzPrepare checks arbitrary text against a schema with everything in it.
func FuzzPrepare(f *testing.F) {
	for _, spec := range []string{benchSpec, `{"image":"a"}`, `{"image":"\u00fc","ports":[{}],"env":{"a":1}}`, `[]`, `{"a":1e999}`, `{"e":{"op":"x"}}`} {
		f.Add(spec)
	}
	k := mustWeb(f, `{"type":"object","properties":{
		"image":{"type":"string","minLength":1,"pattern":"^[a-zü]+$","default":"a"},
		"replicas":{"type":"integer","minimum":0,"maximum":1000.5,"multipleOf":2,"default":2},
		"mode":{"enum":["a",1,null,{"b":[1]}]},"when":{"format":"date-time"},"small":{"format":"int32"},
		"ports":{"type":"array","uniqueItems":true,"items":{"type":"object","properties":{"name":{"type":"string","default":"x"}}}},
		"env":{"type":"object","patternProperties":{"^A":{"type":"string"}},"additionalProperties":{"type":"integer"},"propertyNames":{"maxLength":5}},
		"raw":{"x-candor-preserve-unknown-fields":true,"properties":{"a":{"type":"integer"}}},
		"e":{"oneOf":[{"$ref":"#/$defs/e"},{"type":"null"}]}},
		"$defs":{"e":{"type":"object","required":["op"],"properties":{"op":{"type":"string"},"left":{"$ref":"#/$defs/e"},"right":{"$ref":"#/$defs/e"}}}}}`, "")
	f.Fuzz(func(t *testing.T, spec string) { prepareTwice(t, k.Prepare, spec) })
}

// FuzzColumnPath declares printer columns with arbitrary paths.
func FuzzColumnPath(f *testing.F) {
	for _, path := range []string{".spec.n", `.status.conditions[?(@.type=="Ready")].status`, ".metadata.labels['a/b']", ".spec[*][0]"} {
		f.Add(path)
	}
	r, s := builtIn(f)
	f.Fuzz(func(t *testing.T, path string) {
		text, err := json.Marshal(candor.KindSpec{
			Group: "example.com", Version: "v1", Scope: candor.ScopeCluster, Names: candor.KindNames{Kind: "Web", Plural: "webs"},
			PrinterColumns: []candor.PrinterColumn{{Name: "A", Path: path}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := declare(t, r, s, "webs.example.com", text); err != nil {
			invalid(t, err)
		}
	})
}

func prepareTwice(t *testing.T, prepare func(*candor.Object) error, spec string) {
	o := webObject(spec)
	if err := prepare(o); err != nil {
		invalid(t, err)
		return
	}
	once := string(o.Spec)
	if o.Spec != nil && !json.Valid(o.Spec) {
		t.Fatalf("prepared %q as %q, which is no JSON", spec, once)
	}
	if err := prepare(o); err != nil {
		t.Fatalf("prepared %q as %q, then refused: %v", spec, once, err)
	}
	if string(o.Spec) != once {
		t.Fatalf("prepared %q as %q, then as %q", spec, once, o.Spec)
	}
}

// invalid fails unless err is a refusal that names its fields.
func invalid(t *testing.T, err error) {
	t.Helper()
	if candor.ReasonOf(err) != candor.ReasonInvalid {
		t.Fatalf("refused with %v; want %s", err, candor.ReasonInvalid)
	}
	e, ok := errors.AsType[*candor.Error](err)
	if !ok || len(e.Fields) == 0 || len(e.Fields) > 20 {
		t.Fatalf("refused without naming up to 20 fields: %#v", err)
	}
}
