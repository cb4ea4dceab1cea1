package jsonpath_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/jsonpath"
)

const list = `{
  "revision": 18446744073709551615,
  "empty": [], "nothing": null,
  "items": [
    {"metadata": {"name": "web", "labels": {"app.kubernetes.io/name": "shop", "tier": "front"}},
     "spec": {"replicas": 3, "ports": [{"name": "http"}, {"name": "https"}], "ratio": 0.10}},
    {"metadata": {"name": "db"}, "spec": {"replicas": 1, "odd [name]": "x"}}
  ]
}`

func root(t *testing.T) any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(list))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestTemplatesPrintWhatTheyName(t *testing.T) {
	for template, want := range map[string]string{
		`{.items[0].metadata.name}`:                                       `web`,
		`.items[0].metadata.name`:                                         `web`,
		`items[0].metadata.name`:                                          `web`,
		`{$.items[0].metadata.name}`:                                      `web`,
		`{.items[-1].metadata.name}`:                                      `db`,
		`{.items[*].metadata.name}`:                                       `web db`,
		`{.items[*].spec.ports[*].name}`:                                  `http https`,
		`{.items[0].metadata.labels.*}`:                                   `shop front`,
		`{.items[0].metadata.labels.app\.kubernetes\.io/name}`:            `shop`,
		`{.items[0].metadata.labels['app.kubernetes.io/name']}`:           `shop`,
		`{.items[0]['metadata']["name"]}`:                                 `web`,
		`{.items[1].spec['odd [name]']}`:                                  `x`,
		`{.items[0].spec.ratio}`:                                          `0.10`,
		`{.items[?(@.metadata.name=="db")].spec.replicas}`:                `1`,
		`{.items[?(@.metadata.labels['tier'] == 'front')].metadata.name}`: `web`,
		`{.items[?(@.spec.ports[*].name=="https")].metadata.name}`:        `web`,
		`{.items[?(@.metadata.name=="none")].spec.replicas}`:              ``,
		`{.revision}`:      `18446744073709551615`,
		`{.items[1].spec}`: `{"odd [name]":"x","replicas":1}`,
		`{.nothing}`:       `null`,
		`{.empty}`:         `[]`,
		`name={.items[0].metadata.name}, n={.items[0].spec.replicas}`:                      `name=web, n=3`,
		`{range .items[*]}{.metadata.name}{"\t"}{.spec.replicas}{"\n"}{end}`:               "web\t3\ndb\t1\n",
		`{range .items[*]}{.metadata.name}:{range .spec.ports[*]}{' '}{@.name}{end};{end}`: "web: http https;db:;",
		`{"}"}{'it\'s "so"'}`: `}it's "so"`,
	} {
		t.Run(template, func(t *testing.T) {
			parsed, err := jsonpath.Parse(template)
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			if err := parsed.Execute(&out, root(t)); err != nil {
				t.Fatal(err)
			}
			if out.String() != want {
				t.Errorf("got %q, want %q", out.String(), want)
			}
		})
	}
}

func TestAPathThatLeadsNowhereYieldsNothing(t *testing.T) {
	for _, path := range []string{
		".missing", ".items[7]", ".items[-3]", ".items.name", ".items[0].metadata.name.more", ".revision[0]", ".empty[*]", ".revision.*",
	} {
		parsed, err := jsonpath.ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		if found := parsed.Find(root(t)); len(found) > 0 {
			t.Errorf("%s: found %v, want nothing", path, found)
		}
	}
}

func TestWhatIsNotSupportedIsRefusedByName(t *testing.T) {
	for template, want := range map[string]string{
		`{.items[?(@.spec.replicas>1)]}`:  "filters take the one form",
		`{.items[?(@.spec.replicas==1)]}`: "filters take the one form",
		`{.items[?(@=="x")]}`:             "filters take the one form",
		`{.items[?(@.a=="x"]}`:            "filters take the one form",
		`{..name}`:                        "recursive descent (..) is not supported",
		`{.items[0:2]}`:                   "slices [a:b] are not supported",
		`{.items[0,1]}`:                   "unions [a,b] are not supported",
		`{.items['a','b']}`:               "unions ['a','b'] are not supported",
		`{.items[x]}`:                     "want [N]",
		`{.items[0}`:                      "'[' is not closed",
		`{.items['a}`:                     "'{' is not closed",
		`{.a`:                             "'{' is not closed",
		`{}`:                              "empty braces",
		``:                                "it is empty",
		`{.a}{end}`:                       "{end} without a {range}",
		`{range .items[*]}{.a}`:           "{range} without an {end}",
		`{.a b}`:                          "does not belong in a field name",
		`{.a\}`:                           "not closed",
		`.a\`:                             "ends in a backslash",
	} {
		_, err := jsonpath.Parse(template)
		if !errors.Is(err, &candor.Error{Reason: candor.ReasonUsage}) {
			t.Errorf("%s: got %v, want reason USAGE", template, err)
			continue
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %q, want it to say %q", template, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{.items[*].metadata.name}`, `{range .a}{"\n"}{end}`, `{.a['b'][-1].*}`, `{.items[?(@.a=="b")].c}`, `a\.b`, `{'x'}`} {
		f.Add(seed)
	}
	var value any
	if err := json.Unmarshal([]byte(`{"a":{"b":[1,"x",null]},"items":[{}]}`), &value); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := jsonpath.Parse(text)
		if err != nil {
			if candor.ReasonOf(err) != candor.ReasonUsage {
				t.Fatalf("%q: reason %s, want USAGE", text, candor.ReasonOf(err))
			}
			return
		}
		if err := parsed.Execute(&strings.Builder{}, value); err != nil {
			t.Fatal(err)
		}
	})
}
