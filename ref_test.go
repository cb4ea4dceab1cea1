package candor_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/candor-plane/candor"
)

func TestKindNameParts(t *testing.T) {
	k := candor.KindName("deployments.apps.example")
	if k.Plural() != "deployments" || k.Group() != "apps.example" {
		t.Errorf("got %q and %q", k.Plural(), k.Group())
	}
}

func TestRefPrintsForPeople(t *testing.T) {
	for want, ref := range map[string]candor.Ref{
		"namespaces/default": {Kind: candor.KindNamespaces, Name: "default"},
		"pods/default/web":   {Kind: "pods.core", Namespace: "default", Name: "web"},
	} {
		if got := ref.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestKeysSplitAndKeepANamespaceTogether(t *testing.T) {
	var keys []string
	for _, namespace := range []string{"", "a", "a-b", "a1", "b"} {
		for _, name := range []string{"a", "a-b", "a.b", "z"} {
			ref := candor.Ref{Namespace: namespace, Name: name}
			gotNamespace, gotName := candor.SplitKey(ref.Key())
			if gotNamespace != namespace || gotName != name {
				t.Errorf("%q splits into %q and %q", ref.Key(), gotNamespace, gotName)
			}
			keys = append(keys, ref.Key())
		}
	}
	slices.Sort(keys)
	seen := map[string]bool{}
	last := "\x00"
	for _, key := range keys {
		namespace, _, _ := strings.Cut(key, "/")
		if namespace != last && seen[namespace] {
			t.Fatalf("namespace %q is in two ranges of %q", namespace, keys)
		}
		seen[namespace], last = true, namespace
	}
}

func TestKindSpecNames(t *testing.T) {
	s := candor.KindSpec{Group: "apps.example", Version: "v1", Names: candor.KindNames{Plural: "deployments"}}
	if s.Name() != "deployments.apps.example" || s.APIVersion() != "apps.example/v1" {
		t.Errorf("got %q and %q", s.Name(), s.APIVersion())
	}
}
