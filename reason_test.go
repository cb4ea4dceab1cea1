package candor_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	"github.com/candor-plane/candor"
)

var update = flag.Bool("update", false, "rewrite testdata/reasons.txt")

// The table from reason to gRPC code, HTTP status, exit code and retry class is
// an interface: a change to it is a change of this file, seen in review.
func TestReasonTableIsPinned(t *testing.T) {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "REASON\tGRPC\tHTTP\tEXIT\tRETRY")
	for _, reason := range declared(t, "Reason") {
		d := candor.Reason(reason).Disposition()
		fmt.Fprintf(w, "%s\t%v\t%d\t%d\t%s\n", reason, codes.Code(d.Code), d.HTTP, d.Exit, d.Retry)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "reasons.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("the table changed; if that is meant, run go test . -update (-pinned +now):\n%s", diff)
	}
}

func TestEveryReasonHasADisposition(t *testing.T) {
	classes := declared(t, "RetryClass")
	for _, reason := range declared(t, "Reason") {
		r := candor.Reason(reason)
		if !r.Known() {
			t.Errorf("%s is in no row of the table", r)
		}
		if !regexp.MustCompile(`^[A-Z]+(_[A-Z]+)*$`).MatchString(reason) {
			t.Errorf("%q is no UPPER_SNAKE word", reason)
		}
		d := r.Disposition()
		if d.Code == 0 || d.Code > 16 || d.HTTP < 400 || d.Exit < 1 || d.Exit > 10 {
			t.Errorf("%s: %+v does not tell a failure", r, d)
		}
		if !slices.Contains(classes, string(d.Retry)) {
			t.Errorf("%s: retry class %q is not declared", r, d.Retry)
		}
		if (d.Exit == candor.ExitOutcomeUnknown) != (d.Retry == candor.RetryOutcomeUnknown) {
			t.Errorf("%s: exit %d and retry class %s disagree on whether the outcome is known", r, d.Exit, d.Retry)
		}
	}
}

func TestReasonOfANewerServerIsTreatedAsInternal(t *testing.T) {
	r := candor.Reason("NOT_INVENTED_YET")
	if r.Known() {
		t.Error("must not be known")
	}
	if got, want := r.Disposition(), candor.ReasonInternal.Disposition(); got != want {
		t.Errorf("disposition %+v, want that of INTERNAL %+v", got, want)
	}
}

// declared lists the string constants of the named type in reason.go, in order.
func declared(t *testing.T, typeName string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for n := range ast.Preorder(file) {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			continue
		}
		if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != typeName {
			continue
		}
		for _, value := range spec.Values {
			word, err := strconv.Unquote(value.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			words = append(words, word)
		}
	}
	if len(words) == 0 {
		t.Fatalf("no constant of type %s in reason.go", typeName)
	}
	return words
}
