package cli_test

import (
	"bytes"
	"testing"

	"github.com/cockroachdb/datadriven"
	"sigs.k8s.io/yaml"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/cli"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// TestExplanationsAreTold renders explanations as people read them. Each case is the
// explanation as a document, and what is told of it:
//
//	tell      an explanation
//	did       an explanation, after what controllers did (the input's member did)
//	plan      a plan
func TestExplanationsAreTold(t *testing.T) {
	datadriven.RunTest(t, "testdata/told/explanation.txt", func(t *testing.T, d *datadriven.TestData) string {
		var out bytes.Buffer
		teller := cli.Teller{Out: &out, Palette: output.NewPalette(false), Names: map[string]string{"u-1": "n1"}}
		var err error
		switch d.Cmd {
		case "tell":
			err = teller.Tell(strictly[candor.Explanation](t, d.Input))
		case "did":
			x := strictly[struct {
				candor.Explanation
				Did []candor.Reconciliation `json:"did"`
			}](t, d.Input)
			teller.Done = x.Did
			err = teller.Tell(&x.Explanation)
		case "plan":
			err = teller.Plan(strictly[candor.Plan](t, d.Input))
		default:
			t.Fatalf("unknown command %s", d.Cmd)
		}
		if err != nil {
			t.Fatal(err)
		}
		return out.String()
	})
}

func strictly[T any](t *testing.T, input string) *T {
	t.Helper()
	value := new(T)
	if err := yaml.UnmarshalStrict([]byte(input), value); err != nil {
		t.Fatal(err)
	}
	return value
}
