package kinds_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server/kinds"
)

const benchSchema = `{"type":"object","required":["image","replicas"],"properties":{
"image":{"type":"string","minLength":1,"maxLength":200},
"replicas":{"type":"integer","minimum":0,"maximum":1000,"default":1},
"strategy":{"type":"string","enum":["Rolling","Recreate"],"default":"Rolling"},
"paused":{"type":"boolean"},
"env":{"type":"object","additionalProperties":{"type":"string"}},
"ports":{"type":"array","maxItems":10,"items":{"type":"object","required":["name"],"properties":{
  "name":{"type":"string"},"port":{"type":"integer","minimum":1,"maximum":65535}}}},
"note":{"type":"string","pattern":"^[a-z]*$"}}}`

const benchSpec = `{"image":"registry.example.com/team/web@sha256:0123456789abcdef","replicas":3,"strategy":"Rolling","paused":false,` +
	`"env":{"LOG_LEVEL":"info","REGION":"eu-central-1"},"ports":[{"name":"http","port":8080},{"name":"metrics","port":9090}],"note":"abcdefghijkl"}`

// Six fields and a long string, 256 bytes: what the benchmark of the whole writes.
const flatSchema = `{"type":"object","required":["image"],"properties":{
"image":{"type":"string","minLength":1},"replicas":{"type":"integer","minimum":0,"default":1},
"strategy":{"enum":["Rolling","Recreate"],"default":"Rolling"},"paused":{"type":"boolean"},
"weight":{"type":"integer"},"payload":{"type":"string","maxLength":4096}}}`

func benchmarkPrepare(b *testing.B, schema, spec string) {
	k := mustWeb(b, schema, "")
	o := webObject("")
	text := json.RawMessage(spec)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		o.Spec = text
		if err := k.Prepare(o); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPrepare(b *testing.B) {
	flat := `{"image":"web:1","replicas":3,"strategy":"Rolling","paused":false,"weight":100,"payload":"%s"}`
	flat = fmt.Sprintf(flat, fmt.Sprintf("%0*d", 256-len(flat)+2, 0))
	cases := []struct{ name, schema, spec string }{
		{"flat", flatSchema, flat},
		{"flat-defaults", flatSchema, `{"image":"web:1","paused":false,"weight":100,"payload":"` + fmt.Sprintf("%0190d", 0) + `"}`},
		{"nested", benchSchema, benchSpec},
		{"nested-spaced", benchSchema, indent(benchSpec)},
		{"no-schema", "", benchSpec},
		{"library", `{"anyOf":[` + benchSchema + `,{"type":"object","required":["x"],"properties":{"x":{"type":"string"}}}]}`, benchSpec},
	}
	cases[5].schema = stripDefaults(cases[5].schema)
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) { benchmarkPrepare(b, c.schema, c.spec) })
	}
}

func BenchmarkPrepareRefused(b *testing.B) {
	k := mustWeb(b, benchSchema, "")
	b.ReportAllocs()
	for b.Loop() {
		if k.Prepare(webObject(`{"image":"","replcas":3,"replicas":-1,"ports":[{"port":70000}]}`)) == nil {
			b.Fatal("accepted")
		}
	}
}

func BenchmarkByName(b *testing.B) {
	r, _ := builtIn(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.ByName(candor.KindNamespaces); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkByType(b *testing.B) {
	r, _ := builtIn(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.ByType(candor.APIVersion, "Namespace"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDeclare is a Kind object: its schemas are compiled.
func BenchmarkDeclare(b *testing.B) {
	r, _ := builtIn(b)
	k, err := r.ByName(candor.KindKinds)
	if err != nil {
		b.Fatal(err)
	}
	spec := `{"group":"example.com","version":"v1","scope":"Namespaced","names":{"kind":"Web","plural":"webs"},"schema":{"spec":` + benchSchema + `}}`
	b.ReportAllocs()
	for b.Loop() {
		o := &candor.Object{APIVersion: candor.APIVersion, Kind: "Kind", Metadata: candor.Metadata{Name: "webs.example.com"}, Spec: []byte(spec)}
		if err := k.Prepare(o); err != nil {
			b.Fatal(err)
		}
	}
}

func indent(text string) string {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic(err)
	}
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(err)
	}
	return string(out)
}

func stripDefaults(schema string) string {
	var v any
	if err := json.Unmarshal([]byte(schema), &v); err != nil {
		panic(err)
	}
	var strip func(v any)
	strip = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			delete(v, "default")
			for _, below := range v {
				strip(below)
			}
		case []any:
			for _, below := range v {
				strip(below)
			}
		}
	}
	strip(v)
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(out)
}

var _ kinds.Source = (*store)(nil)
