package zoo_test

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/candor-plane/candor/internal/zoo"
)

// TestEachMistakeIsMadeAtOnePlace: where Bugs says, once, and only where Enabled is asked
// first, so that a build without the tag has nothing of it.
func TestEachMistakeIsMadeAtOnePlace(t *testing.T) {
	constants := constants(t)
	made := map[zoo.Name][]string{}
	for _, u := range uses(t) {
		if !u.guarded {
			t.Errorf("%s asks for %s without zoo.Enabled &&", u.at, u.constant)
		}
		made[constants[u.constant]] = append(made[constants[u.constant]], u.dir)
	}
	for _, b := range zoo.Bugs() {
		if b.Name == "" || b.Mistake == "" || b.Harm == "" {
			t.Errorf("%+v says too little", b)
		}
		if at := made[b.Name]; len(at) != 1 || at[0] != b.Where {
			t.Errorf("%s is made in %v, want once, in %s", b.Name, at, b.Where)
		}
		delete(made, b.Name)
	}
	if len(made) > 0 {
		t.Errorf("what is made and is no mistake: %v", made)
	}
}

// TestABuildWithoutTheTagHasNone.
func TestABuildWithoutTheTagHasNone(t *testing.T) {
	if zoo.Enabled {
		t.Skip("this build has the tag zoo")
	}
	for _, b := range zoo.Bugs() {
		if zoo.Has(b.Name) {
			t.Errorf("%s is alive", b.Name)
		}
	}
	numbers := []int{1, 2, 3}
	if zoo.Mix(numbers); !slices.IsSorted(numbers) || zoo.Draw(7) != 0 {
		t.Error("something is left to chance")
	}
}

// use is a place that asks whether a mistake is alive.
type use struct {
	constant, dir, at string
	guarded           bool
}

// constants are the names by the constants that hold them.
func constants(t *testing.T) map[string]zoo.Name {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "bug.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]zoo.Name{}
	for n := range ast.Preorder(file) {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			continue
		}
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
			out[spec.Names[0].Name] = zoo.Name(strings.Trim(literal.Value, `"`))
		}
	}
	return out
}

func uses(t *testing.T) (all []use) {
	t.Helper()
	fset := token.NewFileSet()
	root := os.DirFS("../..")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && name != ".") {
			return cmp.Or(err, fs.SkipDir)
		}
		if d.IsDir() || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil || !strings.Contains(string(text), "internal/zoo\"") {
			return err
		}
		file, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		guarded := map[ast.Expr]bool{}
		for n := range ast.Preorder(file) {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				// a && b && c is (a && b) && c; and what goes without is !a || !b.
				left, right, want := n.X, n.Y, token.LAND
				if both, ok := left.(*ast.BinaryExpr); ok && both.Op == n.Op {
					left = both.Y
				}
				if not, ok := right.(*ast.UnaryExpr); ok && not.Op == token.NOT {
					if without, ok := left.(*ast.UnaryExpr); ok && without.Op == token.NOT {
						left, right, want = without.X, not.X, token.LOR
					}
				}
				guarded[right] = n.Op == want && selects(left) == "Enabled"
			case *ast.CallExpr:
				if selects(n.Fun) == "Has" && len(n.Args) == 1 {
					all = append(all, use{constant: selects(n.Args[0]), dir: path.Dir(name), at: fset.Position(n.Pos()).String(), guarded: guarded[n]})
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// selects is what of package zoo the expression names; empty for nothing.
func selects(x ast.Expr) string {
	s, ok := x.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if of, ok := s.X.(*ast.Ident); !ok || of.Name != "zoo" {
		return ""
	}
	return s.Sel.Name
}
