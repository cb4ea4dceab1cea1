package layering

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Module is the import path of the repository's root module.
const Module = "github.com/candor-plane/candor"

// A Tree is every Go file of a repository, parsed; testdata is no part of it.
type Tree struct {
	Fset  *token.FileSet
	Files []*File
}

// A File is one parsed Go file.
type File struct {
	Path      string // slash-separated, from the repository root
	Dir       string // "" for the root
	Lines     int
	Test      bool // its name ends in _test.go
	Generated bool // it carries the standard "Code generated" line
	Nested    bool // it belongs to another module than the root one
	Syntax    *ast.File

	fset *token.FileSet
}

// Load parses every Go file under the root of fsys. Files behind build tags
// are included. The first file that cannot be read or parsed is the error.
func Load(fsys fs.FS) (*Tree, error) {
	tree := &Tree{Fset: token.NewFileSet()}
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}

		if entry.IsDir() {
			return skip(name)
		}

		if path.Ext(name) != ".go" {
			return nil
		}

		return tree.add(fsys, name)
	})
	if err != nil {
		return nil, fmt.Errorf("load tree: %w", err)
	}

	tree.markNested(fsys)

	return tree, nil
}

// skip leaves out the folders that the go command leaves out.
func skip(dir string) error {
	base := path.Base(dir)
	if base == "testdata" || base == "vendor" || base == "node_modules" ||
		dir != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")) {
		return fs.SkipDir
	}

	return nil
}

func (t *Tree) add(fsys fs.FS, name string) error {
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}

	syntax, err := parser.ParseFile(t.Fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}

	t.Files = append(t.Files, &File{
		Path:      name,
		Dir:       strings.TrimPrefix(path.Dir(name), "."),
		Lines:     bytes.Count(src, []byte("\n")),
		Test:      strings.HasSuffix(name, "_test.go"),
		Generated: ast.IsGenerated(syntax),
		Syntax:    syntax,
		fset:      t.Fset,
	})

	return nil
}

func (t *Tree) markNested(fsys fs.FS) {
	for _, f := range t.Files {
		for dir := f.Dir; dir != "" && dir != "."; dir = path.Dir(dir) {
			_, err := fs.Stat(fsys, path.Join(dir, "go.mod"))
			if err == nil {
				f.Nested = true
			}
		}
	}
}

// PurePatterns are the go command's patterns for the pure rooms that exist.
func (t *Tree) PurePatterns() []string {
	var patterns []string
	for _, room := range pureRooms {
		if slices.ContainsFunc(t.Files, func(f *File) bool { return within(f.Dir, room) }) {
			patterns = append(patterns, "./"+room+"/...")
		}
	}

	return patterns
}

// Packages are the folders of the tree with every file that is not a test.
func (t *Tree) Packages() []Package {
	var pkgs []Package
	for _, p := range t.folders() {
		pkg := Package{ImportPath: path.Join(Module, p.dir), Dir: p.dir}
		for _, f := range p.files {
			if !f.Test {
				pkg.Files = append(pkg.Files, path.Base(f.Path))
			}
		}

		pkgs = append(pkgs, pkg)
	}

	return pkgs
}

// folders groups the files of the tree by folder, in order of appearance.
func (t *Tree) folders() []folder {
	at := map[string]int{}
	var folders []folder
	for _, f := range t.Files {
		i, seen := at[f.Dir]
		if !seen {
			i = len(folders)
			at[f.Dir] = i
			folders = append(folders, folder{dir: f.Dir})
		}

		folders[i].files = append(folders[i].files, f)
	}

	return folders
}

type folder struct {
	dir   string
	files []*File
}

func (f *File) line(pos token.Pos) int { return f.fset.Position(pos).Line }

// importPath is the path that spec imports, unquoted.
func importPath(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		panic("the parser let an unquotable import through: " + spec.Path.Value)
	}

	return p
}

// within says whether dir is room or a folder below it.
func within(dir, room string) bool {
	return dir == room || strings.HasPrefix(dir, room+"/")
}
