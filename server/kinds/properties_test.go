package kinds_test

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"
)

// What is accepted is exactly what the library accepts of a document decoded by
// encoding/json, whichever way it was found out: proofs never accept more, and
// never refuse.
func TestAcceptsWhatTheLibraryAccepts(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		schema := encode(schemaText{t: r, explicit: true}.object(3))
		k, err := web(t, schema, "")
		if err != nil {
			r.Fatalf("schema %s refused: %v", schema, err)
		}
		library := compileAlone(t, schema)
		for range 5 {
			text := documentText{r}.object(4)
			o := webObject(text)
			err := k.Prepare(o)
			verdict := library.Validate(decode(t, text))
			if (err == nil) != (verdict == nil) {
				r.Fatalf("schema %s\ndocument %s\nprepare: %v\nlibrary: %v", schema, text, err, verdict)
			}
			if err == nil && string(o.Spec) != compact(t, text) {
				r.Fatalf("document %s\ncame out as %s", text, o.Spec)
			}
		}
	})
}

// The same for single values, drawn close to what their schema bounds.
func TestAcceptsTheValuesThatTheLibraryAccepts(t *testing.T) {
	edges := []string{
		"-9223372036854775809", "-9223372036854775808", "-3", "-2.5", "-1", "-0.5", "0", "0.5", "1", "1.0", "2", "2.5", "3", "4", "6",
		"1e2", "100", "999999999999999999", "1000000000000000000", "9223372036854775807", "9223372036854775808", "99999999999999999999",
	}
	number := rapid.SampledFrom(edges)
	rapid.Check(t, func(r *rapid.T) {
		value := map[string]any{}
		for _, bound := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
			"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
		}), 0, 2, rapid.ID[string]).Draw(r, "bounds") {
			n := number.Draw(r, bound)
			if bound == "multipleOf" {
				n = rapid.SampledFrom([]string{"0.5", "1", "2", "3", "99999999999999999999"}).Draw(r, "step")
			}
			value[bound] = json.Number(n)
		}
		if rapid.Bool().Draw(r, "typed") {
			value["type"] = "integer"
		}
		schema := encode(map[string]any{"properties": map[string]any{
			"n": value,
			"l": map[string]any{"uniqueItems": rapid.Bool().Draw(r, "unique"), "items": value, "maxItems": 3},
		}})
		k, err := web(t, schema, "")
		if err != nil {
			r.Fatal(err)
		}
		library := compileAlone(t, schema)
		for _, n := range edges {
			for _, text := range []string{`{"n":` + n + `}`, `{"l":[` + n + `,` + number.Draw(r, "second") + `]}`} {
				err, verdict := k.Prepare(webObject(text)), library.Validate(decode(t, text))
				if (err == nil) != (verdict == nil) {
					r.Fatalf("schema %s\ndocument %s\nprepare: %v\nlibrary: %v", schema, text, err, verdict)
				}
			}
		}
	})
}

// A prepared object is complete: preparing it again returns the same memory.
// Whatever was written is still there, letter by letter.
func TestPrepareIsIdempotentAndExact(t *testing.T) {
	accepted := 0
	rapid.Check(t, func(r *rapid.T) {
		schema := encode(schemaText{t: r, defaults: true}.object(3))
		k, err := web(t, schema, "")
		if err != nil {
			return // a drawn default may contradict its own schema
		}
		for range 5 {
			text := documentText{r}.object(3)
			o := webObject(text)
			if err := k.Prepare(o); err != nil {
				continue
			}
			accepted++
			once := o.Spec
			if err := k.Prepare(o); err != nil {
				r.Fatalf("schema %s\ndocument %s\nprepared %s\nrefused again: %v", schema, text, once, err)
			}
			if !bytes.Equal(o.Spec, once) || &o.Spec[0] != &once[0] {
				r.Fatalf("schema %s\nprepared %s\nagain %s", schema, once, o.Spec)
			}
			if string(once) != compact(t, string(once)) {
				r.Fatalf("prepared %s is not compact", once)
			}
			contains(r, decode(t, string(once)), decode(t, text))
			if library := compileAlone(t, schema); library.Validate(decode(t, string(once))) != nil {
				r.Fatalf("schema %s\nprepared %s, which the library refuses", schema, once)
			}
		}
	})
	if accepted == 0 {
		t.Fatal("no drawn document was accepted: the test says nothing")
	}
}

// No number changes by a digit, at whatever size, in documents and defaults.
func TestNumbersKeepEveryDigit(t *testing.T) {
	number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,60})(\.[0-9]{1,60})?([eE][+-]?[0-9]{1,2})?`)
	rapid.Check(t, func(r *rapid.T) {
		given, fallback := number.Draw(r, "given"), number.Draw(r, "default")
		k, err := web(t, `{"type":"object","properties":{"n":{"type":"number"},"d":{"default":`+fallback+`}}}`, "")
		if err != nil {
			r.Fatal(err)
		}
		o := webObject(`{"n": ` + given + `}`)
		if err := k.Prepare(o); err != nil {
			r.Fatal(err)
		}
		if want := `{"n":` + given + `,"d":` + fallback + `}`; string(o.Spec) != want {
			r.Fatalf("got %s, want %s", o.Spec, want)
		}
	})
}

// contains fails unless whole has everything that part has, numbers as text.
func contains(t *rapid.T, whole, part any) {
	switch part := part.(type) {
	case map[string]any:
		object, ok := whole.(map[string]any)
		if !ok {
			t.Fatalf("%v became %v", part, whole)
		}
		for name, value := range part {
			contains(t, object[name], value)
		}
	case []any:
		list, ok := whole.([]any)
		if !ok || len(list) != len(part) {
			t.Fatalf("%v became %v", part, whole)
		}
		for i := range part {
			contains(t, list[i], part[i])
		}
	default:
		if whole != part {
			t.Fatalf("%v became %v", part, whole)
		}
	}
}

// compileAlone compiles a schema without anything of this package.
func compileAlone(t *testing.T, schema string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	if err := c.AddResource("test:schema", decode(t, schema)); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("test:schema")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func decode(t *testing.T, text string) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Fatalf("%s: more than one value", text)
	}
	return v
}

func compact(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func encode(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(out)
}

func keys(m map[string]any) []string {
	list := make([]string, 0, len(m))
	for name := range m {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}
