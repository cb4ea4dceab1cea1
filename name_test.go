package candor_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/candor-plane/candor"
)

func TestNamesAreDNS1123(t *testing.T) {
	for name, ok := range map[string]bool{
		"a": true, "web-1": true, "deployments.apps.example": true, "0": true, "1.2.3": true,
		strings.Repeat("a", 253): true,
		strings.Repeat("a", 254): false,
		"":                       false, "-a": false, "a-": false, "a..b": false, ".a": false, "a.": false, "a.-b": false,
		"Web": false, "a_b": false, "a/b": false, "ä": false, "a b": false, "a\x00": false, "a%sb": false,
	} {
		if err := candor.CheckName("metadata.name", name); (err == nil) != ok {
			t.Errorf("CheckName(%q) = %v, want ok=%t", name, err, ok)
		}
	}
}

func TestNamespacesAreDNS1123Labels(t *testing.T) {
	for name, ok := range map[string]bool{
		"default": true, strings.Repeat("a", 63): true, strings.Repeat("a", 64): false, "a.b": false, "": false, "-": false,
	} {
		if err := candor.CheckNamespace("metadata.namespace", name); (err == nil) != ok {
			t.Errorf("CheckNamespace(%q) = %v, want ok=%t", name, err, ok)
		}
	}
}

func TestLabels(t *testing.T) {
	for _, c := range []struct {
		key, value string
		ok         bool
	}{
		{"app", "web", true},
		{"app", "", true},
		{"example.com/app", "Web_1.x-y", true},
		{"App_1.x-y", "v", true},
		{strings.Repeat("a", 63), strings.Repeat("b", 63), true},
		{strings.Repeat("a", 64), "v", false},
		{"app", strings.Repeat("b", 64), false},
		{"", "v", false},
		{"/app", "v", false},
		{"example.com/", "v", false},
		{"a/b/c", "v", false},
		{"Example.com/app", "v", false},
		{"app", "-v", false},
		{"app", "a b", false},
		{"app%d", "v", false},
		{"app", "50%", false},
	} {
		err := candor.CheckLabels("metadata.labels", map[string]string{c.key: c.value})
		if (err == nil) != c.ok {
			t.Errorf("%q=%q: got %v, want ok=%t", c.key, c.value, err, c.ok)
		}
	}
}

// A turn that refuses must refuse in the same words on every node.
func TestTheFirstBadKeyIsReportedWhateverTheMapOrder(t *testing.T) {
	labels := map[string]string{}
	for _, key := range []string{"_e", "_a", "_c", "ok", "_d", "_b"} {
		labels[key] = "v"
	}
	for range 50 {
		for name, err := range map[string]error{
			"labels": candor.CheckLabels("l", labels), "annotations": candor.CheckAnnotations("a", labels),
		} {
			if err == nil || !strings.Contains(err.Error(), `"_a"`) {
				t.Fatalf("%s: got %v, want the error for _a", name, err)
			}
		}
	}
}

func TestAnnotationsAreBoundedInAll(t *testing.T) {
	half := strings.Repeat("x", 128<<10)
	if err := candor.CheckAnnotations("metadata.annotations", map[string]string{"a": half}); err != nil {
		t.Errorf("128 KiB: %v", err)
	}
	err := candor.CheckAnnotations("metadata.annotations", map[string]string{"a": half, "b": half})
	if candor.ReasonOf(err) != candor.ReasonInvalid {
		t.Errorf("256 KiB and the keys: got %v, want INVALID", err)
	}
}

func TestInvalidNamesTheFieldAndClipsTheInput(t *testing.T) {
	err := candor.CheckName("metadata.name", strings.Repeat("é%s", 10_000))
	var e *candor.Error
	if !errors.As(err, &e) || len(e.Fields) != 1 || e.Fields[0].Path != "metadata.name" {
		t.Fatalf("got %#v, want one field, metadata.name", err)
	}
	if len(e.Message) > 1000 || strings.Contains(e.Message, "MISSING") || strings.Contains(e.Message, "%!") {
		t.Errorf("message of %d bytes: %.200s", len(e.Message), e.Message)
	}
	if e.Message != "metadata.name: "+e.Fields[0].Message {
		t.Errorf("message %q and field %q differ", e.Message, e.Fields[0].Message)
	}
}
