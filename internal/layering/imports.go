package layering

import (
	"fmt"
	"go/ast"
	"strings"
)

// Imports finds imports against the direction that the table of rooms gives,
// and folders that the table does not know. Tests keep the same directions,
// except that they may import servertest and any module.
func Imports(tree *Tree) []Finding {
	var findings []Finding
	unknown := map[string]bool{}
	for _, f := range tree.Files {
		if f.Nested {
			continue
		}

		r, known := roomOf(f.Dir)
		if !known {
			if !unknown[f.Dir] {
				findings = append(findings, Finding{
					File:  f.Dir,
					Wrong: "is a room that the architecture does not name",
					Do:    "give it a row in internal/layering/rooms.go and in ARCHITECTURE.md, or move it into a room",
				})
			}

			unknown[f.Dir] = true

			continue
		}

		for _, spec := range f.Syntax.Imports {
			findings = append(findings, r.judge(f, spec)...)
		}
	}

	return sorted(findings)
}

func (r room) judge(f *File, spec *ast.ImportSpec) []Finding {
	imported := importPath(spec)
	target, ours := strings.CutPrefix(imported+"/", Module+"/")
	if !ours {
		return r.judgeModule(f, spec, imported)
	}

	target = strings.TrimSuffix(target, "/")
	test := f.Test || within(f.Dir, "integration")
	if within(target, servertest) && !within(f.Dir, servertest) {
		if test {
			return nil
		}

		return []Finding{f.finding(spec.Pos(),
			"imports server/servertest outside a test",
			"move what needs a cluster into a _test.go file: servertest exists for tests alone")}
	}

	if r.allows(f.Dir, target) {
		return nil
	}

	return []Finding{f.finding(spec.Pos(),
		fmt.Sprintf("%s imports %s; it may import %s", named(f.Dir), named(target), r.list()),
		"declare the interface that is needed beside its consumer and let the package that wires both satisfy it")}
}

func (r room) judgeModule(f *File, spec *ast.ImportSpec, imported string) []Finding {
	if f.Test || standard(imported) {
		return nil
	}

	if r.plain {
		return []Finding{f.finding(spec.Pos(),
			fmt.Sprintf("%s imports %s; it may import the standard library only", named(f.Dir), imported),
			"write the little that is needed, or move this file to the room whose business the module is")}
	}

	for _, module := range r.never {
		if strings.HasPrefix(imported, module) {
			return []Finding{f.finding(spec.Pos(),
				fmt.Sprintf("%s imports %s, which must not be seen from there", named(f.Dir), imported),
				"take an interface of at most five methods instead; package server satisfies it")}
		}
	}

	return nil
}

// standard says whether an import path is of the standard library: only other
// modules have a dot in the first element.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")

	return !strings.Contains(first, ".")
}

func named(dir string) string {
	if dir == "" {
		return "the root package"
	}

	return dir
}
