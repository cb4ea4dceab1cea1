package grpcapi_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// nameOf is the name in an object that is as it was stored.
func nameOf(o *candorv1.Object) string { return o.GetMetadata().GetName() }

func TestPagesHoldEveryObjectOnceWhateverTheirSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newFixture(t)
		var all []string
		for i := range 7 {
			o := widget(fmt.Sprintf("w%d", i))
			o.Metadata.Labels = map[string]string{"odd": fmt.Sprint(i % 2)}
			x.create(o)
		}
		x.create(&candor.Object{APIVersion: "example.com/v1", Kind: "Widget", Metadata: candor.Metadata{Name: "a", Namespace: "default"}})
		page := func(in *candorv1.ListRequest) *candorv1.ListResponse {
			out, err := x.api.List(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		for _, o := range page(&candorv1.ListRequest{Kind: widgets}).GetObjects() {
			all = append(all, o.GetMetadata().GetNamespace()+"/"+nameOf(o))
		}
		if len(all) != 11 || !slices.IsSorted(all) {
			t.Fatalf("all at once: %v", all)
		}
		between := 0
		for limit := uint32(1); limit <= 12; limit++ {
			for _, selector := range []string{"", "odd=1", "odd notin (0)", "never"} {
				var got, want []string
				for _, o := range page(&candorv1.ListRequest{Kind: widgets, LabelSelector: selector}).GetObjects() {
					want = append(want, o.GetMetadata().GetNamespace()+"/"+nameOf(o))
				}
				in := &candorv1.ListRequest{Kind: widgets, LabelSelector: selector, Limit: limit}
				revision := uint64(0)
				for {
					out := page(in)
					if revision == 0 {
						revision = out.GetRevision()
						// What comes between two pages is on neither.
						between++
						x.create(widget(fmt.Sprintf("b-%d", between)))
					}
					if out.GetRevision() != revision || len(out.GetObjects()) > int(limit) {
						t.Fatalf("a page of %d objects at revision %d; want %d at most, at %d", len(out.GetObjects()), out.GetRevision(), limit, revision)
					}
					for _, o := range out.GetObjects() {
						got = append(got, o.GetMetadata().GetNamespace()+"/"+nameOf(o))
					}
					if in.Continue = out.GetContinue(); in.GetContinue() == "" {
						break
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("pages of %d with %q: %v, want %v", limit, selector, got, want)
				}
			}
		}
	})
}

// TestAContinueTokenThatIsNotOfTheListIsRefused: one that was damaged, made up
// or taken from another list would leave objects out unseen.
func TestAContinueTokenThatIsNotOfTheListIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newFixture(t)
		list := func(in *candorv1.ListRequest) (*candorv1.ListResponse, error) { return x.api.List(t.Context(), in) }
		in := &candorv1.ListRequest{Kind: widgets, Namespace: "team", LabelSelector: "app", Limit: 1}
		first, err := list(in)
		if err != nil || first.GetContinue() == "" {
			t.Fatalf("first page: %+v, %v", first, err)
		}
		refused := func(what string, in *candorv1.ListRequest) {
			t.Helper()
			out, err := list(in)
			if r, ok := convert.Refusal(err); !ok || r.Reason != candor.ReasonInvalid {
				t.Errorf("%s: %v, %+v", what, err, out)
			}
		}
		with := func(edit func(*candorv1.ListRequest)) *candorv1.ListRequest {
			other, _ := proto.Clone(in).(*candorv1.ListRequest)
			other.Continue = first.GetContinue()
			edit(other)
			return other
		}
		token := []byte(first.GetContinue())
		for i := range token {
			for _, c := range []byte("Aq9_") {
				if bad := slices.Clone(token); bad[i] != c {
					bad[i] = c
					refused(fmt.Sprintf("byte %d is %c", i, c), with(func(in *candorv1.ListRequest) { in.Continue = string(bad) }))
				}
			}
			if i > 0 {
				refused(fmt.Sprintf("cut at %d", i), with(func(in *candorv1.ListRequest) { in.Continue = string(token[:i]) }))
			}
		}
		refused("made up", with(func(in *candorv1.ListRequest) {
			in.Continue = base64.RawURLEncoding.EncodeToString([]byte("6 team/a"))
		}))
		refused("longer", with(func(in *candorv1.ListRequest) { in.Continue += "AAAA" }))
		refused("of another namespace", with(func(in *candorv1.ListRequest) { in.Namespace = "" }))
		refused("of another selector", with(func(in *candorv1.ListRequest) { in.LabelSelector = "" }))
		refused("of another kind", with(func(in *candorv1.ListRequest) { in.Kind = string(candor.KindNamespaces) }))
		// Another size of page, freshness or server is the same list.
		for _, s := range x.cluster.Servers() {
			out, err := candorv1.NewObjectServiceClient(x.dial(s.Name())).List(t.Context(), with(func(in *candorv1.ListRequest) {
				in.Limit, in.Read = 9, &candorv1.ReadOptions{Freshness: candorv1.Freshness_FRESHNESS_BEST_EFFORT}
			}))
			if err != nil || len(out.GetObjects()) != 2 || out.GetContinue() != "" {
				t.Errorf("the rest from %s: %+v, %v", s.Name(), out, err)
			}
		}
	})
}

// TestAPageBelowTheFloorIsRefusedWithTheFloor: the pages of one list are of one
// revision or none.
func TestAPageBelowTheFloorIsRefusedWithTheFloor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newFixture(t)
		in := &candorv1.ListRequest{Kind: widgets, Limit: 1}
		first, err := x.api.List(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		x.create(widget("later"))
		newest := x.view().Token().Revision
		if err := compact(t.Context(), x, newest); err != nil {
			t.Fatal(err)
		}
		in.Continue = first.GetContinue()
		_, err = x.api.List(t.Context(), in)
		if r, ok := convert.Refusal(err); !ok || r.Reason != candor.ReasonCompacted || r.Revision != newest {
			t.Errorf("%v, floor %d", err, newest)
		}
	})
}

func compact(ctx context.Context, x *fixture, revision uint64) error {
	_, err := candorv1.NewClusterServiceClient(x.dial(x.cluster.Leader().Name())).Compact(ctx, &candorv1.CompactRequest{Revision: revision})
	return err
}
