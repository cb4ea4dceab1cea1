package contextfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/contextfile"
)

func TestWhatIsSavedIsLoaded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "context.yaml")
	want := contextfile.File{Current: "dev", Contexts: []contextfile.Context{
		{Name: "dev", Servers: []string{"127.0.0.1:7101", "[::1]:7102"}, Namespace: "default"},
	}}
	want.Set(contextfile.Context{Name: "prod", Servers: []string{"prod-1.example:7101"}})
	want.Set(contextfile.Context{Name: "prod", Servers: []string{"prod-2.example:7101"}})
	for range 2 {
		if err := want.Save(path); err != nil {
			t.Fatal(err)
		}
	}
	got, err := contextfile.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("loaded differs from saved (-want +got):\n%s", diff)
	}
	current, err := got.Find("")
	if err != nil || current.Name != "dev" {
		t.Errorf("current: got %v, %v, want dev", current, err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("folder holds %d entries (%v), want the file alone", len(entries), err)
	}
}

func TestAFileThatContradictsItselfIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"contexts: [{name: a, servers: [h:1]}]\ncurrent: b":                `current: there is no context "b"; the file has a`,
		"contexts: [{name: a}]":                                            "context a: servers: want at least one",
		"contexts: [{servers: [h:1]}]":                                     "contexts[0].name: is missing",
		"contexts: [{name: a, servers: [h:1]}, {name: a, servers: [h:1]}]": `contexts[1].name: "a" is given twice`,
		"contexts: [{name: a, servers: [h]}]":                              `server "h": want HOST:PORT`,
		"contexts: [{name: a, servers: [h:1], namespace: A}]":              "is no DNS-1123 label",
		"contexts: [{name: a, server: h:1}]":                               `unknown field "server"`,
		"contexts: {":                                                      "yaml",
		"contexts: [{name: a, servers: [h:1]}]\ncontexts: []\n":            "already set",
	} {
		path := filepath.Join(t.TempDir(), "context.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := contextfile.Load(path)
		if !errors.Is(err, &candor.Error{Reason: candor.ReasonInvalid}) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s\ngot  %v\nwant INVALID, the path, and %q", text, err, want)
		}
	}
}

func TestAMissingFileOrContextIsNotFound(t *testing.T) {
	if _, err := contextfile.Load(filepath.Join(t.TempDir(), "none.yaml")); candor.ReasonOf(err) != candor.ReasonNotFound {
		t.Errorf("missing file: got %v, want NOT_FOUND", err)
	}
	f := contextfile.File{Contexts: []contextfile.Context{{Name: "a", Servers: []string{"h:1"}}}}
	for _, name := range []string{"", "b"} {
		_, err := f.Find(name)
		if candor.ReasonOf(err) != candor.ReasonNotFound || !strings.Contains(err.Error(), "has a") {
			t.Errorf("find %q: got %v, want NOT_FOUND naming what there is", name, err)
		}
	}
}
