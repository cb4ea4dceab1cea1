package layering

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strings"
)

// The annotation that lets pure code walk a map: it stands on the line of the
// walk or the one above, excuses that one, and says why the order cannot be seen.
const unordered = "//candor:unordered"

// Determinism finds, in the code of the pure rooms, what only types show: walks
// over maps, whose order differs from run to run, and values of float type. The
// packages are checked against what imp imports; one that does not compile is
// an error.
func Determinism(tree *Tree, pkgs []Package, imp types.Importer) ([]Finding, error) {
	var findings []Finding
	for _, pkg := range pkgs {
		files := tree.of(pkg)
		if len(files) == 0 || !files[0].pure() {
			continue
		}

		syntax := make([]*ast.File, len(files))
		for i, f := range files {
			syntax[i] = f.Syntax
		}

		info := &types.Info{
			Types: map[ast.Expr]types.TypeAndValue{},
			Defs:  map[*ast.Ident]types.Object{},
			Uses:  map[*ast.Ident]types.Object{},
		}
		conf := types.Config{Importer: imp}
		_, err := conf.Check(pkg.ImportPath, tree.Fset, syntax, info)
		if err != nil {
			return nil, fmt.Errorf("check types of %s: %w", pkg.ImportPath, err)
		}

		for _, f := range files {
			findings = append(findings, f.undetermined(info)...)
		}
	}

	return sorted(findings), nil
}

// of are the files of pkg in the tree, as its build selects them.
func (t *Tree) of(pkg Package) []*File {
	var files []*File
	for _, f := range t.Files {
		if f.Dir == pkg.Dir && slices.Contains(pkg.Files, path.Base(f.Path)) {
			files = append(files, f)
		}
	}

	return files
}

func (f *File) undetermined(info *types.Info) []Finding {
	var findings []Finding
	notes := f.notes()
	floats := map[int]bool{}
	sortedCalls := map[ast.Node]bool{}
	for n := range ast.Preorder(f.Syntax) {
		switch n := n.(type) {
		case *ast.RangeStmt:
			if isMap(info.TypeOf(n.X)) {
				findings = append(findings, f.walk(n.Pos(), "ranges over a map", notes)...)
			}
		case *ast.CallExpr:
			callee := called(info, n)
			if sorts(callee) {
				sortedCalls[n.Args[0]] = true
			}

			if yieldsMapOrder(callee) && !sortedCalls[n] {
				findings = append(findings, f.walk(n.Pos(), "walks a map with "+callee.FullName(), notes)...)
			}
		}

		if expr, ok := n.(ast.Expr); ok && inexactValue(info, expr) && !floats[f.line(n.Pos())] {
			floats[f.line(n.Pos())] = true
			findings = append(findings, f.inexact(n.Pos()))
		}
	}

	return append(findings, f.idle(notes)...)
}

// A note is one annotation in a file.
type note struct {
	pos    token.Pos
	reason string
	used   bool
}

// notes are the annotations of f, by the line they stand on.
func (f *File) notes() map[int]*note {
	notes := map[int]*note{}
	for _, group := range f.Syntax.Comments {
		for _, c := range group.List {
			reason, ok := strings.CutPrefix(c.Text, unordered)
			if ok {
				notes[f.line(c.Pos())] = &note{pos: c.Pos(), reason: strings.TrimSpace(reason)}
			}
		}
	}

	return notes
}

func (f *File) walk(pos token.Pos, what string, notes map[int]*note) []Finding {
	for _, line := range []int{f.line(pos), f.line(pos) - 1} {
		n := notes[line]
		if n == nil || n.used {
			continue
		}

		n.used = true
		if n.reason != "" {
			return nil
		}

		return []Finding{f.finding(n.pos, "excuses a walk over a map without a reason",
			"say after "+unordered+" why no result depends on the order")}
	}

	return []Finding{f.finding(pos, "pure code "+what+", in an order that differs from run to run",
		"walk slices.Sorted(maps.Keys(m)), or say above it: "+unordered+" <why no result depends on the order>")}
}

// idle finds annotations that excuse nothing.
func (f *File) idle(notes map[int]*note) []Finding {
	var findings []Finding
	for _, n := range notes {
		if !n.used {
			findings = append(findings, f.finding(n.pos, unordered+" excuses no walk over a map", "remove it"))
		}
	}

	return findings
}

// called is the function that a call names, or nil when it calls a value.
func called(info *types.Info, call *ast.CallExpr) *types.Func {
	fun := ast.Unparen(call.Fun)
	switch index := fun.(type) {
	case *ast.IndexExpr:
		fun = index.X
	case *ast.IndexListExpr:
		fun = index.X
	}

	var name *ast.Ident
	switch fun := fun.(type) {
	case *ast.Ident:
		name = fun
	case *ast.SelectorExpr:
		name = fun.Sel
	}

	if name == nil {
		return nil
	}

	fn, _ := info.Uses[name].(*types.Func)

	return fn
}

// sorts is true for the functions of slices that put an iterator in order.
func sorts(fn *types.Func) bool {
	return fn != nil && slices.Contains(
		[]string{"slices.Sorted", "slices.SortedFunc", "slices.SortedStableFunc"}, fn.FullName())
}

func yieldsMapOrder(fn *types.Func) bool {
	return fn != nil && slices.Contains(
		[]string{"maps.All", "maps.Keys", "maps.Values"}, fn.FullName())
}

// isMap is true for maps, and for type parameters that may stand for one.
func isMap(t types.Type) bool {
	if t == nil {
		return false
	}

	param, ok := types.Unalias(t).(*types.TypeParam)
	if !ok {
		_, ok = t.Underlying().(*types.Map)

		return ok
	}

	constraint, ok := param.Constraint().Underlying().(*types.Interface)
	if !ok {
		return false
	}

	for embedded := range constraint.EmbeddedTypes() {
		union, ok := embedded.(*types.Union)
		if !ok {
			union = types.NewUnion([]*types.Term{types.NewTerm(false, embedded)})
		}

		for term := range union.Terms() {
			if isMap(term.Type()) {
				return true
			}
		}
	}

	return false
}

// inexactValue is true for expressions of float type, except untyped constants
// that are whole, as 1e9 is: the compiler computes those exactly. Type
// parameters are left out: what instantiates one with a float shows by itself.
func inexactValue(info *types.Info, expr ast.Expr) bool {
	t := info.TypeOf(expr)
	if t == nil {
		return false
	}

	basic, ok := t.Underlying().(*types.Basic)
	if !ok || basic.Info()&(types.IsFloat|types.IsComplex) == 0 {
		return false
	}

	value := info.Types[expr].Value
	whole := value != nil && constant.ToInt(value).Kind() == constant.Int

	return !whole || basic.Info()&types.IsUntyped == 0
}
