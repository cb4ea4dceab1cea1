package candor_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
)

func TestAnOwnerIsNamedByKindOrAsKubernetesDoes(t *testing.T) {
	for text, want := range map[string]candor.OwnerReference{
		`{"kind":"widgets.shop","name":"x","uid":"u"}`:                                    {Kind: "widgets.shop", Name: "x", UID: "u"},
		`{"apiVersion":"shop/v1","kind":"Widget","name":"x","uid":"u","controller":true}`: {Kind: candor.OwnerType("shop/v1", "Widget"), Name: "x", UID: "u", Controller: true},
	} {
		var got candor.OwnerReference
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
		back, err := json.Marshal(got)
		if diff := cmp.Diff(text, string(back)); err != nil || diff != "" {
			t.Errorf("and back (-want +got):\n%s %v", diff, err)
		}
	}
	byType := candor.OwnerReference{Kind: candor.OwnerType("shop/v1", "Widget")}
	if apiVersion, kind, ok := byType.Type(); apiVersion != "shop/v1" || kind != "Widget" || !ok {
		t.Errorf("type %q %q %t", apiVersion, kind, ok)
	}
	if _, _, ok := (candor.OwnerReference{Kind: "widgets.shop"}).Type(); ok {
		t.Error("a kind's name is taken for a type")
	}
}

func TestAnOwnerIsReadStrictly(t *testing.T) {
	for text, path := range map[string]string{
		`{"kind":"widgets.shop","name":"x","uid":"u","colour":"red"}`: "metadata.ownerReferences.colour",
		`{"Kind":"widgets.shop","name":"x","uid":"u"}`:                "metadata.ownerReferences.Kind",
		`{"kind":"a.b","kind":"c.d","name":"x","uid":"u"}`:            "metadata.ownerReferences.kind",
	} {
		object := `{"apiVersion":"shop/v1","kind":"Widget","metadata":{"name":"y","ownerReferences":[` + text + `]}}`
		err := json.Unmarshal([]byte(object), new(candor.Object))
		var e *candor.Error
		if !errors.As(err, &e) || e.Reason != candor.ReasonInvalid || len(e.Fields) != 1 || e.Fields[0].Path != path {
			t.Errorf("%s: %v, want a fault at %s", text, err, path)
		}
	}
}
