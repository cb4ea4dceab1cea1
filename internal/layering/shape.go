package layering

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Ceiling is the most lines that a file written by hand may have.
const Ceiling = 600

// Lengths finds files over the ceiling; generated ones are left out.
func Lengths(tree *Tree) []Finding {
	var findings []Finding
	for _, f := range tree.Files {
		if f.Generated || f.Lines <= Ceiling {
			continue
		}

		findings = append(findings, Finding{
			File:  f.Path,
			Wrong: fmt.Sprintf("has %d lines; the ceiling is %d, and 60 to 250 is usual", f.Lines, Ceiling),
			Do:    "find the second noun in it and give that a file named for it",
		})
	}

	return findings
}

// shelves are names that say where code was put instead of what it is.
var shelves = []string{
	"base", "common", "helper", "helpers", "misc", "models", "pkg", "shared", "util", "utils", "utilities",
}

// Names finds packages and folders whose name could hold anything.
func Names(tree *Tree) []Finding {
	var findings []Finding
	for _, p := range tree.folders() {
		name := strings.TrimSuffix(p.files[0].Syntax.Name.Name, "_test")
		for _, element := range append(strings.Split(p.dir, "/"), name) {
			if !slices.Contains(shelves, element) {
				continue
			}

			findings = append(findings, Finding{
				File:  p.dir,
				Wrong: fmt.Sprintf("is called %q, which could hold anything", element),
				Do:    "name it for the noun that it is about, or move its functions beside their callers",
			})

			break
		}
	}

	return findings
}

// Comments finds packages without a package comment. Packages that are
// generated whole are left out; their protos carry the comments.
func Comments(tree *Tree) []Finding {
	var findings []Finding
	for _, p := range tree.folders() {
		if !slices.ContainsFunc(p.files, func(f *File) bool { return !f.Generated }) ||
			slices.ContainsFunc(p.files, saysWhatItIs) {
			continue
		}

		name := strings.TrimSuffix(p.files[0].Syntax.Name.Name, "_test")
		findings = append(findings, Finding{
			File:  path.Join(p.dir, p.name()),
			Wrong: fmt.Sprintf("package %s has no package comment", name),
			Do: fmt.Sprintf("begin it %q and say what the package guarantees, what it refuses and who calls it",
				opening(name, p.dir)),
		})
	}

	return findings
}

func saysWhatItIs(f *File) bool {
	if f.Syntax.Doc == nil {
		return false
	}

	return strings.HasPrefix(f.Syntax.Doc.Text(), opening(strings.TrimSuffix(f.Syntax.Name.Name, "_test"), f.Dir)+" ")
}

// opening is how the comment of a package begins: a command's with the name
// that it is started by, which is its folder's.
func opening(name, dir string) string {
	if name == "main" {
		return "Command " + path.Base(dir)
	}

	return "Package " + name
}

// name is the file in which a reader looks for the package comment.
func (p folder) name() string {
	if slices.ContainsFunc(p.files, func(f *File) bool { return !f.Test }) {
		return "doc.go"
	}

	return "doc_test.go"
}
