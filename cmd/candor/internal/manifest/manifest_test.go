package manifest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/manifest"
)

// The commands of the transcripts:
//
//	parse NAME      reads the input as a source of that name
//	line PATH…      says where fields of the last source's first document are
func TestTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if filepath.Base(filepath.Dir(path)) == "fuzz" {
			return
		}
		var last []manifest.Document
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "parse":
				var err error
				last, err = manifest.Parse(d.CmdArgs[0].Key, []byte(strings.ReplaceAll(d.Input, "»", "\t")))
				return transcript(last, err)
			case "line":
				var out strings.Builder
				for _, arg := range d.CmdArgs {
					fmt.Fprintf(&out, "%s -> %s\n", arg.Key, last[0].Place(arg.Key))
				}
				return out.String()
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

func transcript(documents []manifest.Document, err error) string {
	var out strings.Builder
	if e, ok := errors.AsType[*candor.Error](err); ok {
		fmt.Fprintf(&out, "%s: %s\n", e.Reason, e.Message)
		for _, f := range e.Fields {
			fmt.Fprintf(&out, "  %s: %s\n", f.Path, f.Message)
		}
	}
	for _, d := range documents {
		text, _ := d.Object.MarshalJSON()
		fmt.Fprintf(&out, "%s %s\n", d.Place(""), text)
	}
	if out.Len() == 0 {
		return "nothing\n"
	}
	return out.String()
}

const widget = "apiVersion: shop/v1\nkind: Widget\nmetadata: {name: %s}\n"

func TestAFolderIsReadInTheOrderOfItsNames(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.yaml", "a.yml", "c.json", "readme.md", "deep/d.yaml", ".hidden/e.yaml"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf(widget, strings.SplitN(filepath.Base(name), ".", 2)[0])
		if strings.HasSuffix(name, ".json") {
			text = `{"apiVersion":"shop/v1","kind":"Widget","metadata":{"name":"c"}}`
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for want, loader := range map[string]manifest.Loader{"a b c": {}, "a b c d": {Recursive: true}} {
		documents, err := loader.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, d := range documents {
			names = append(names, d.Object.Metadata.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("recursive %v: read %q, want %q", loader.Recursive, got, want)
		}
	}
}

func TestSourcesThatCannotBeReadAreNamed(t *testing.T) {
	empty := t.TempDir()
	blank := filepath.Join(t.TempDir(), "blank.yaml")
	if err := os.WriteFile(blank, []byte("# nothing here\n---\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		sources []string
		reason  candor.Reason
		says    string
	}{
		{[]string{"absent.yaml"}, candor.ReasonNotFound, "absent.yaml: no such file"},
		{[]string{empty}, candor.ReasonInvalid, "no .yaml, .yml or .json file in folder " + empty},
		{[]string{blank}, candor.ReasonInvalid, "no object in " + blank},
		{[]string{"-", "-"}, candor.ReasonInvalid, "stdin is named twice"},
		{[]string{"-"}, candor.ReasonInvalid, "no stdin"},
	} {
		_, err := manifest.Loader{}.Load(c.sources...)
		if !errors.Is(err, &candor.Error{Reason: c.reason}) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: got %v, want %s saying %q", c.sources, err, c.reason, c.says)
		}
	}
}

func TestStdinIsRead(t *testing.T) {
	documents, err := manifest.Loader{Stdin: strings.NewReader(fmt.Sprintf(widget, "web"))}.Load("-")
	if err != nil {
		t.Fatal(err)
	}
	if got := documents[0].Place("kind"); got != "stdin:2: document 1" {
		t.Errorf("kind is at %q, want stdin:2: document 1", got)
	}
}

func TestOneBadDocumentReturnsNone(t *testing.T) {
	documents, err := manifest.Parse("x.yaml", []byte(fmt.Sprintf(widget, "web")+"---\nkind: Widget\n"))
	if err == nil || documents != nil {
		t.Errorf("got %d documents and error %v, want none and an error", len(documents), err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		fmt.Sprintf(widget, "web"),
		"a: 1\n---\nb: [1, {c: d}]\n...\n# end\n",
		`{"apiVersion":"a/v1","kind":"List","items":[{"kind":"X","metadata":{"name":"a","labels":{"a":null}}}]} {}`,
		"kind: &a {x: *a}\n<<: *a\n",
		"--- {a: b}\n\t- x\n",
		"? [a]\n: b\n",
	} {
		f.Add("x.yaml", []byte(seed))
		f.Add("x.json", []byte(seed))
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		documents, err := manifest.Parse(name, data)
		if err != nil {
			if documents != nil || candor.ReasonOf(err) != candor.ReasonInvalid {
				t.Fatalf("got %d documents and %v, want none and INVALID", len(documents), err)
			}
			return
		}
		last := strings.Count(string(data), "\n") + 1
		for _, d := range documents {
			if line := d.Line("metadata.name"); line < 1 || line > last {
				t.Fatalf("line %d of a source of %d lines", line, last)
			}
			text, err := d.Object.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			again, err := manifest.Parse("again.json", text)
			if err != nil {
				t.Fatalf("what was read does not read back: %v\n%s", err, text)
			}
			if again[0].Object.Metadata.Name != d.Object.Metadata.Name {
				t.Fatalf("name %q came back as %q", d.Object.Metadata.Name, again[0].Object.Metadata.Name)
			}
		}
	})
}
