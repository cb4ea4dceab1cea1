package cli_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/cli"
)

func kindObject(t *testing.T, group, kind, plural string, short ...string) *candor.Object {
	t.Helper()
	spec, err := json.Marshal(candor.KindSpec{Group: group, Version: "v1", Scope: candor.ScopeNamespaced, Names: candor.KindNames{Kind: kind, Plural: plural, ShortNames: short}})
	must(t, err)
	return &candor.Object{
		APIVersion: candor.APIVersion, Kind: "Kind", Spec: spec,
		Metadata: candor.Metadata{Name: plural + "." + group, ResourceVersion: 1},
	}
}

func TestAKindGoesByEveryNameItHas(t *testing.T) {
	s := newShelf()
	s.objects = []*candor.Object{
		kindObject(t, "shop", "Widget", "widgets", "wd"), kindObject(t, "lab", "Widget", "widgets"),
		kindObject(t, "candor", "Kind", "kinds"), kindObject(t, "other", "Kind", "kinds"), kindObject(t, "shop", "Box", "boxes"),
	}
	for word, want := range map[string]string{
		"boxes": "boxes.shop", "box": "boxes.shop", "Box": "boxes.shop", "BOXES": "boxes.shop", "boxes.shop": "boxes.shop",
		"wd": "widgets.shop", "widgets.lab": "widgets.lab",
		"widget": "USAGE", "widgets": "USAGE", "kind": "kinds.candor", "kinds.other": "kinds.other", "bo": "UNKNOWN_KIND",
	} {
		kind, err := cli.NewKinds(s, cli.Reading{}).Resolve(t.Context(), word)
		got := string(kind.Name())
		if err != nil {
			got = string(candor.ReasonOf(err))
		}
		if got != want {
			t.Errorf("%s: got %s (%v), want %s", word, got, err, want)
		}
	}
	_, err := cli.NewKinds(s, cli.Reading{}).Resolve(t.Context(), "widget")
	if err == nil || !strings.Contains(err.Error(), "widgets.lab, widgets.shop") {
		t.Errorf("widget: got %v, want it to name both kinds", err)
	}
}

// lateReader learns of a kind between the first read and the second.
type lateReader struct {
	*shelf
	reads int
	late  *candor.Object
}

func (r *lateReader) List(ctx context.Context, kind candor.KindName, o client.ListOptions, options ...client.ReadOption) (*client.Page, error) {
	if r.reads++; r.reads == 2 {
		r.objects = append(r.objects, r.late)
	}
	return r.shelf.List(ctx, kind, o, options...)
}

func TestAKindThatIsNewIsLookedForAgain(t *testing.T) {
	for freshness, want := range map[candor.Freshness]candor.Reason{
		candor.FreshnessStrong: "", candor.FreshnessBounded: "", candor.FreshnessBestEffort: candor.ReasonUnknownKind,
	} {
		r := &lateReader{shelf: newShelf(), late: kindObject(t, "shop", "Widget", "widgets")}
		kinds := cli.NewKinds(r, cli.Reading{Freshness: freshness})
		_, err := kinds.Resolve(t.Context(), "widget")
		if got := candor.ReasonOf(err); got != want {
			t.Errorf("%s: got %q (%v), want %q", freshness, got, err, want)
		}
		if _, err := kinds.Resolve(t.Context(), "widget"); candor.ReasonOf(err) != want {
			t.Errorf("%s: asked again: got %v, want %q", freshness, err, want)
		}
		if most := 2; r.reads > most {
			t.Errorf("%s: the kinds were read %d times, want at most %d", freshness, r.reads, most)
		}
	}
}

func TestAManifestsKindIsFoundByGroupVersionAndKind(t *testing.T) {
	s := newShelf()
	s.objects = []*candor.Object{kindObject(t, "shop", "Widget", "widgets")}
	kinds := cli.NewKinds(s, cli.Reading{})
	for _, c := range []struct{ apiVersion, kind, says string }{
		{"shop/v1", "Widget", ""},
		{"shop/v2", "Widget", "group shop has it in version v1"},
		{"v1", "widget", "there is kind Widget of apiVersion shop/v1"},
		{"shop/v1", "Gadget", "no kind Gadget of apiVersion shop/v1"},
	} {
		_, err := kinds.Of(t.Context(), c.apiVersion, c.kind)
		switch {
		case c.says == "" && err != nil:
			t.Errorf("%s %s: %v", c.apiVersion, c.kind, err)
		case c.says != "" && (candor.ReasonOf(err) != candor.ReasonUnknownKind || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s %s: got %v, want UNKNOWN_KIND saying %q", c.apiVersion, c.kind, err, c.says)
		}
	}
}
