package schema_test

import (
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"sigs.k8s.io/yaml"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/schema"
)

// The commands of the transcript:
//
//	kind                      takes the spec of a Kind object, in YAML
//	explain PATH [recursive]  explains a field of it, . for the kind itself
func TestTranscripts(t *testing.T) {
	var kind candor.KindSpec
	datadriven.RunTest(t, "testdata/explain.txt", func(t *testing.T, d *datadriven.TestData) string {
		switch d.Cmd {
		case "kind":
			kind = candor.KindSpec{}
			if err := yaml.UnmarshalStrict([]byte(d.Input), &kind); err != nil {
				t.Fatal(err)
			}
			return ""
		case "explain":
			document, err := schema.Of(kind)
			if err != nil {
				return err.Error() + "\n"
			}
			var path []string
			if at := d.CmdArgs[0].Key; at != "." {
				path = strings.Split(at, ".")
			}
			field, err := document.Find(path)
			if err != nil {
				return err.Error() + "\n"
			}
			text := field.Explain(schema.Layout{
				Kind: kind.Names.Kind, APIVersion: kind.APIVersion(), Width: 72,
				Recursive: d.HasArg("recursive"), Heading: strings.ToUpper,
			})
			return strings.ReplaceAll(text, "\n\n", "\n.\n")
		}
		t.Fatalf("unknown command %s", d.Cmd)
		return ""
	})
}
