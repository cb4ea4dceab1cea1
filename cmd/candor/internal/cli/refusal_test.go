package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/cli"
)

// An answer that breaks its promise is exit code 8, and the words name the node.
func TestAnAnswerThatBreaksItsPromiseNamesTheNode(t *testing.T) {
	s := newShelf()
	broken := &client.WitnessError{Field: "servedFreshness", Want: "STRONG", Got: "BEST_EFFORT", Node: "n2"}
	s.refusals["list"] = []error{&candor.Error{Reason: candor.ReasonInvariantViolated, Message: broken.Error(), Err: broken}}
	s.objects = []*candor.Object{{APIVersion: "candor/v1", Kind: "Kind", Metadata: candor.Metadata{Name: "namespaces.candor"},
		Spec: []byte(`{"group":"candor","version":"v1","scope":"Cluster","names":{"kind":"Namespace","plural":"namespaces","singular":"namespace"}}`)}}
	var out, errs bytes.Buffer
	f := &cli.Factory{In: strings.NewReader(""), Out: &out, Err: &errs, Flags: &cli.Flags{}, Getenv: func(string) string { return "" }, Connect: s.connect}
	if code := cli.Run(t.Context(), f, []string{"get", "namespaces", "--server", "127.0.0.1:7101"}); code != candor.ExitViolated {
		t.Errorf("exit %d, want %d", code, candor.ExitViolated)
	}
	for _, want := range []string{"node n2: servedFreshness is BEST_EFFORT; want STRONG", "candor diagnostics --all", "candor node view-only n2 --on"} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("stderr lacks %q:\n%s", want, &errs)
		}
	}
}
