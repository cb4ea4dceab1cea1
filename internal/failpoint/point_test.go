package failpoint_test

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/candor-plane/candor/internal/failpoint"
)

// TestEachPointIsHitAtOnePlace: what the code hits is declared, and what is declared is
// hit, once, by its name as it stands there.
func TestEachPointIsHitAtOnePlace(t *testing.T) {
	places := map[string][]string{}
	for _, p := range failpoint.Points() {
		if p.Meaning == "" || places[p.Name] != nil {
			t.Errorf("%q means nothing, or is there twice", p.Name)
		}
		places[p.Name] = []string{}
	}
	for place, name := range hits(t) {
		if places[name] == nil {
			t.Errorf("%s hits %q, which is no point", place, name)
		}
		places[name] = append(places[name], place)
	}
	for name, at := range places {
		if slices.Sort(at); len(at) != 1 {
			t.Errorf("%s is hit at %d places, want 1: %v", name, len(at), at)
		}
	}
}

// hits are the places in the code that hit a point, with what they say it is called.
func hits(t *testing.T) map[string]string {
	t.Helper()
	out, fset := map[string]string{}, token.NewFileSet()
	root := os.DirFS("../..")
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != ".") {
			return cmp.Or(err, fs.SkipDir)
		}
		if d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := fs.ReadFile(root, path)
		if err != nil || !strings.Contains(string(text), "internal/failpoint") {
			return err
		}
		file, err := parser.ParseFile(fset, path, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for n := range ast.Preorder(file) {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 2 {
				continue
			}
			f, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				continue
			}
			if from, ok := f.X.(*ast.Ident); !ok || from.Name != "failpoint" {
				continue
			}
			name := "no literal"
			if literal, ok := call.Args[0].(*ast.BasicLit); ok {
				name, _ = strconv.Unquote(literal.Value)
			}
			out[fset.Position(call.Pos()).String()] = name
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestABuildWithoutTheTagHasNone.
func TestABuildWithoutTheTagHasNone(t *testing.T) {
	if failpoint.Enabled {
		t.Skip("this build has the tag failpoints")
	}
	for _, p := range failpoint.Points() {
		failpoint.Hit(p.Name, "")
		if err := failpoint.Fail(p.Name, ""); err != nil {
			t.Error(err)
		}
	}
	if failpoint.Shift() != 0 {
		t.Error("the clock is shifted")
	}
}

func BenchmarkHit(b *testing.B) {
	for b.Loop() {
		failpoint.Hit("handover/seal", "ids")
	}
}
