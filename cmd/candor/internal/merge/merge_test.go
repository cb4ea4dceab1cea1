package merge_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/manifest"
	"github.com/candor-plane/candor/cmd/candor/internal/merge"
)

// The commands of the transcript, on one object:
//
//	apply     applies the manifest in the input
//	other     sets the object as somebody else left it; the annotation stays
//	annotate  sets the annotation to the input
func TestApplyTranscript(t *testing.T) {
	var live *candor.Object
	datadriven.RunTest(t, "testdata/apply.txt", func(t *testing.T, d *datadriven.TestData) string {
		switch d.Cmd {
		case "apply":
			return apply(t, &live, d.Input)
		case "other":
			documents := parse(t, d.Input)
			last := live.Metadata.Annotations[merge.Annotation]
			live = documents[0].Object
			annotate(live, last)
			return ""
		case "annotate":
			annotate(live, strings.TrimSpace(d.Input))
			return ""
		}
		t.Fatalf("unknown command %s", d.Cmd)
		return ""
	})
}

func apply(t *testing.T, live **candor.Object, input string) string {
	t.Helper()
	document := parse(t, input)[0]
	if *live == nil {
		*live = merge.Create(document.Object, document.Fields)
		return "created\n" + show(t, *live)
	}
	merged, changed, err := merge.Update(*live, document.Fields)
	if err != nil {
		return err.Error() + "\n"
	}
	*live = merged
	return fmt.Sprintf("changed %v\n%s", changed, show(t, merged))
}

func parse(t *testing.T, input string) []manifest.Document {
	t.Helper()
	documents, err := manifest.Parse("input.yaml", []byte("apiVersion: shop/v1\nkind: Widget\n"+input))
	if err != nil {
		t.Fatal(err)
	}
	return documents
}

func annotate(o *candor.Object, text string) {
	if o.Metadata.Annotations == nil {
		o.Metadata.Annotations = map[string]string{}
	}
	o.Metadata.Annotations[merge.Annotation] = text
}

func show(t *testing.T, o *candor.Object) string {
	t.Helper()
	text, err := o.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	out, err := yaml.JSONToYAML(text)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(string(out), "apiVersion: shop/v1\nkind: Widget\n")
}

func TestNumbersAreComparedByValue(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"1", "1.0", true}, {"1e2", "100", true}, {"1", "2", false}, {"-0", "0.0", true},
		{"9007199254740993", "9007199254740992", false}, {"9007199254740993.0", "9007199254740992", false},
		{"1e999999999", "1e999999998", false},
	} {
		if got := merge.Equal(json.Number(c.a), json.Number(c.b)); got != c.want {
			t.Errorf("%s and %s: equal %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

// Objects of a few names, so that drawn manifests meet one another.
func objects() *rapid.Generator[map[string]any] {
	leaf := rapid.OneOf(rapid.Just[any]("x"), rapid.Just[any](true), rapid.Just[any](json.Number("1")), rapid.Just[any]([]any{"l"}))
	return rapid.Map(nested(leaf, 3), func(v any) map[string]any { return v.(map[string]any) })
}

func nested(leaf *rapid.Generator[any], depth int) *rapid.Generator[any] {
	inner := leaf
	if depth > 0 {
		inner = rapid.OneOf(leaf, nested(leaf, depth-1))
	}
	return rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c"}), inner, 0, 3), func(m map[string]any) any { return m })
}

func TestMergeProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		last, live, desired := objects().Draw(t, "last"), objects().Draw(t, "live"), objects().Draw(t, "desired")
		before := text(t, live)
		fields := merge.FieldsOf(last)
		merged := merge.ThreeWay(fields, live, desired)
		if got := text(t, live); got != before {
			t.Fatalf("live was changed: %s, was %s", got, before)
		}
		checkNamed(t, desired, merged)
		checkOthers(t, fields, live, desired, merged)
		if again := merge.ThreeWay(merge.FieldsOf(desired), merged, desired); !merge.Equal(again, merged) {
			t.Fatalf("applying twice is not applying once: %s, then %s", text(t, merged), text(t, again))
		}
	})
}

// checkNamed: a field that the manifest names has the manifest's value.
func checkNamed(t *rapid.T, desired, merged map[string]any) {
	for name, want := range desired {
		inner, ok := want.(map[string]any)
		if !ok {
			if !reflect.DeepEqual(merged[name], want) {
				t.Fatalf("%s is %v, want %v", name, merged[name], want)
			}
			continue
		}
		got, ok := merged[name].(map[string]any)
		if !ok {
			t.Fatalf("%s is %v, want an object", name, merged[name])
		}
		checkNamed(t, inner, got)
	}
}

// checkOthers: a field that neither manifest names is as it was, and one that
// only the last manifest names is gone.
func checkOthers(t *rapid.T, last, live, desired, merged map[string]any) {
	for name, was := range live {
		if _, named := desired[name]; named {
			continue
		}
		_, before := last[name]
		if !before && !reflect.DeepEqual(merged[name], was) {
			t.Fatalf("%s is %v, want it left at %v", name, merged[name], was)
		}
		_, object := last[name].(map[string]any)
		if _, still := merged[name]; before && !object && still {
			t.Fatalf("%s is %v, want it removed", name, merged[name])
		}
	}
}

func text(t *rapid.T, value any) string {
	var out bytes.Buffer
	if err := json.NewEncoder(&out).Encode(value); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
