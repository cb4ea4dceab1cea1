package layering

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
)

// unwatched are folders whose goroutines no goleak watches, each with the
// reason. A row that is not needed is a finding too.
var unwatched = map[string]string{}

// Goroutines finds packages that start goroutines without a TestMain that
// hands over to goleak.
func Goroutines(tree *Tree) []Finding {
	return goroutines(tree, unwatched)
}

func goroutines(tree *Tree, unwatched map[string]string) []Finding {
	var findings []Finding
	needed := map[string]bool{}
	for _, p := range tree.folders() {
		starts := p.firstStart()
		if starts == nil || slices.ContainsFunc(p.files, watches) {
			continue
		}

		needed[p.dir] = true
		if unwatched[p.dir] != "" {
			continue
		}

		findings = append(findings, *starts)
	}

	for dir := range unwatched {
		if needed[dir] {
			continue
		}

		findings = append(findings, Finding{
			File:  dir,
			Wrong: "is excused from goleak and does not need to be",
			Do:    "remove its row from unwatched in internal/layering/goroutines.go",
		})
	}

	return sorted(findings)
}

// firstStart is the finding for the first goroutine that the package's own
// code starts, or nil.
func (p folder) firstStart() *Finding {
	for _, f := range p.files {
		if f.Test || f.Generated || f.Nested {
			continue
		}

		for n := range ast.Preorder(f.Syntax) {
			if !startsGoroutine(n) {
				continue
			}

			found := f.finding(n.Pos(),
				fmt.Sprintf("starts a goroutine, and no TestMain in %s looks for leaked ones", named(p.dir)),
				fmt.Sprintf("add %s with func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }",
					path.Join(p.dir, "main_test.go")))

			return &found
		}
	}

	return nil
}

// startsGoroutine is true for a go statement and for a call of a method named
// Go, as sync.WaitGroup and errgroup.Group have.
func startsGoroutine(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GoStmt:
		return true
	case *ast.CallExpr:
		method, ok := n.Fun.(*ast.SelectorExpr)

		return ok && method.Sel.Name == "Go"
	}

	return false
}

// watches says whether f holds a TestMain that calls goleak.
func watches(f *File) bool {
	return f.Test && slices.ContainsFunc(f.Syntax.Decls, func(decl ast.Decl) bool {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Recv != nil || fn.Name.Name != "TestMain" || fn.Body == nil {
			return false
		}

		for n := range ast.Preorder(fn.Body) {
			name, ok := n.(*ast.Ident)
			if ok && name.Name == "goleak" {
				return true
			}
		}

		return false
	})
}
