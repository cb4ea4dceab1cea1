package lifecycle

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/fsm/transition"
)

func TestEveryDeclarationIsWholeAndConnected(t *testing.T) {
	names := map[Name]bool{}
	for _, l := range All() {
		for _, wrong := range l.check() {
			t.Errorf("%s: %s", l.Name, wrong)
		}
		if names[l.Name] {
			t.Errorf("%s is declared twice", l.Name)
		}
		names[l.Name] = true
	}
}

// A check that never fails says nothing.
func TestADeclarationThatIsWrongIsTold(t *testing.T) {
	l := Lifecycle{Name: "x", Start: "A", States: []State{"A", "B", "C"}, Steps: []Declared{
		{"A", "B", "go", "it goes"}, {"A", "B", "go", "it goes"}, {"B", "D", "go", "it goes"}, {"B", "A", "", "it goes"},
	}}
	want := []string{
		"x/A->B:go is declared twice", "x/B->D:go is of a state that is not declared",
		"x/B->A: has no event, or says nothing", "C is not reached from A",
	}
	if diff := cmp.Diff(want, l.check()); diff != "" {
		t.Error(diff)
	}
}

// A word that joins the vocabulary joins its lifecycle, or this fails.
func TestEveryWordOfTheVocabularyIsDeclared(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	for _, row := range []struct {
		lifecycle Name
		words     []string
		besides   []State
	}{
		{Era, constants(t, filepath.Join(root, "fsm", "tenure"), "State"), []State{Absent, EraBound}},
		{Transition, phases(), []State{Absent, Gone, Stalled}},
		{Instance, constants(t, root, "InstancePhase"), []State{Absent, Unreconciled, Gone}},
		{Node, returned(t, filepath.Join(root, "coordinator", "nodes"), "phase"), []State{Absent, Unreconciled, Cordoned, Gone}},
		{Workload, assigned(t, filepath.Join(root, "coordinator", "workloads"), "Phase"), []State{Absent, Unreconciled, Gone}},
		{CatchUp, constants(t, root, "CatchUpState"), []State{Stopped, Unknown}},
		{Mode, constants(t, root, "DegradedMode"), []State{Stopped}},
	} {
		want := slices.Clone(row.words)
		for _, s := range row.besides {
			want = append(want, string(s))
		}
		slices.Sort(want)
		if diff := cmp.Diff(slices.Compact(want), statesOf(row.lifecycle)); diff != "" {
			t.Errorf("%s (-vocabulary, +declared):\n%s", row.lifecycle, diff)
		}
	}
}

func TestEveryEventOfATenureMakesADeclaredStep(t *testing.T) {
	events := map[string]bool{}
	for _, l := range []Lifecycle{duty(), era()} {
		for _, d := range l.Steps {
			events[d.Event] = true
		}
	}
	for _, x := range []tenure.Event{
		tenure.Campaign{}, tenure.Renew{}, tenure.Reserve{}, tenure.Seal{}, tenure.Confirm{}, tenure.Close{}, tenure.Reattach{}, tenure.Release{},
	} {
		name := strings.ToLower(typeName(x))
		if !events[name] {
			t.Errorf("no step of a duty or an era is made by %s", name)
		}
		delete(events, name)
	}
	if got, want := slices.Sorted(maps.Keys(events)), []string{"handover", "overflow", "succeed", "takeover", "time"}; !slices.Equal(got, want) {
		t.Errorf("besides the events of package tenure: %v, want %v", got, want)
	}
}

func TestAStepIsFoundByItsTextWithAndWithoutItsEvent(t *testing.T) {
	for text, want := range map[string]string{
		"duty/HELD->SEALED:seal":       "duty/HELD->SEALED:seal",
		"duty/HELD->SEALED":            "duty/HELD->SEALED:seal",
		"member/NON_VOTER->VOTER":      "member/NON_VOTER->VOTER:promote",
		"duty/HELD->HELD":              string(candor.ReasonUsage),
		"duty/SEALED->EXPIRED":         string(candor.ReasonNotFound),
		"duty/HELD->SEALED:reattach":   string(candor.ReasonNotFound),
		"nothing":                      string(candor.ReasonUsage),
		"mode/STOPPED->HEALTHY:watch":  string(candor.ReasonNotFound),
		"mode/STOPPED->VIEW_ONLY":      "mode/STOPPED->VIEW_ONLY:observe",
		"catch-up/UNKNOWN->LAGGING":    "catch-up/UNKNOWN->LAGGING:observe",
		"transition/PLANNED->ADMITTED": "transition/PLANNED->ADMITTED:admit",
	} {
		got, _, err := Find(text)
		have := got.String()
		if err != nil {
			have = string(candor.ReasonOf(err))
		}
		if have != want {
			t.Errorf("%s: got %s, want %s (%v)", text, have, want, err)
		}
	}
}

func FuzzAStepIsItsText(f *testing.F) {
	f.Add("duty/HELD->SEALED:seal")
	f.Add("a/b->c:d:e")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(s.String())
		if err != nil || again != s {
			t.Errorf("%q: %v, then %v (%v)", text, s, again, err)
		}
	})
}

func statesOf(name Name) []string {
	var out []string
	for _, l := range All() {
		if l.Name == name {
			for _, s := range l.States {
				out = append(out, string(s))
			}
		}
	}
	slices.Sort(out)
	return out
}

func phases() []string {
	var out []string
	for _, p := range transition.Phases() {
		out = append(out, string(p))
	}
	return out
}

func typeName(x tenure.Event) string {
	switch x.(type) {
	case tenure.Campaign:
		return "Campaign"
	case tenure.Renew:
		return "Renew"
	case tenure.Reserve:
		return "Reserve"
	case tenure.Seal:
		return "Seal"
	case tenure.Confirm:
		return "Confirm"
	case tenure.Close:
		return "Close"
	case tenure.Reattach:
		return "Reattach"
	default:
		return "Release"
	}
}

// constants are the values of a folder's constants of a string type.
func constants(t *testing.T, dir, typed string) []string {
	return words(t, dir, func(n ast.Node) []ast.Expr {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return nil
		}
		if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != typed {
			return nil
		}
		return spec.Values
	})
}

// assigned are the texts that a folder's code assigns to a field.
func assigned(t *testing.T, dir, field string) []string {
	return words(t, dir, func(n ast.Node) []ast.Expr {
		assign, ok := n.(*ast.AssignStmt)
		if !ok || len(assign.Lhs) != 1 {
			return nil
		}
		if selector, ok := assign.Lhs[0].(*ast.SelectorExpr); !ok || selector.Sel.Name != field {
			return nil
		}
		return assign.Rhs
	})
}

// returned are the texts that a function returns.
func returned(t *testing.T, dir, function string) []string {
	return words(t, dir, func(n ast.Node) []ast.Expr {
		f, ok := n.(*ast.FuncDecl)
		if !ok || f.Name.Name != function {
			return nil
		}
		var out []ast.Expr
		ast.Inspect(f, func(n ast.Node) bool {
			if r, ok := n.(*ast.ReturnStmt); ok {
				out = append(out, r.Results...)
			}
			return true
		})
		return out
	})
}

func words(t *testing.T, dir string, of func(ast.Node) []ast.Expr) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			for _, x := range of(n) {
				if literal, ok := x.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					word, err := strconv.Unquote(literal.Value)
					if err != nil {
						t.Fatal(err)
					}
					out = append(out, word)
				}
			}
			return true
		})
	}
	if len(out) == 0 {
		t.Fatalf("%s says no word", dir)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
