package layering_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/candor-plane/candor/internal/layering"
)

func repository(t *testing.T) (string, *layering.Tree) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}

	_, err = os.Stat(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatalf("the repository root is not two folders up: %v", err)
	}

	tree, err := layering.Load(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}

	return root, tree
}

func report(t *testing.T, findings []layering.Finding) {
	t.Helper()
	for _, f := range findings {
		t.Error(f)
	}
}

func TestTheRepositoryKeepsItsShape(t *testing.T) {
	_, tree := repository(t)
	for _, rule := range layering.Rules() {
		t.Run(rule.Name, func(t *testing.T) { report(t, rule.Check(tree)) })
	}
}

func TestTheDeterministicCoreHasOneOutcome(t *testing.T) {
	root, tree := repository(t)
	patterns := tree.PurePatterns()
	if len(patterns) == 0 {
		t.Log("no pure room exists yet")

		return
	}

	pkgs, imp, err := layering.List(t.Context(), root, tree.Fset, patterns...)
	if err != nil {
		t.Fatal(err)
	}

	findings, err := layering.Determinism(tree, pkgs, imp)
	if err != nil {
		t.Fatal(err)
	}

	report(t, findings)
}

// The walk must reach this very file, or the rules above check nothing.
func TestTheWalkReachesEveryFolder(t *testing.T) {
	_, tree := repository(t)
	for _, want := range []string{"doc.go", "internal/layering/tree_test.go", "internal/layering/rooms.go"} {
		if !slices.ContainsFunc(tree.Files, func(f *layering.File) bool { return f.Path == want }) {
			t.Errorf("the tree lacks %s", want)
		}
	}
}
