package clustertest_test

import (
	"testing"
	"testing/synctest"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server/servertest"
)

// Whoever asks why is told what led there, on a view that the answer names.
func TestWhyLeadsToTheIntent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		made, err := k.Create(t.Context(), &candor.Object{APIVersion: candor.APIVersion, Kind: "Namespace", Metadata: candor.Metadata{Name: "team"}}, client.WithReason("LAUNCHED", "for the team"))
		noError(t, err)
		ref := candor.Ref{Kind: candor.KindNamespaces, Name: "team"}
		found, err := k.Why(t.Context(), candor.VersionRef{Ref: ref})
		noError(t, err)
		x := found.Explanation
		if x.Subject.Revision != made.Token.Revision || !found.Witness.ServedToken.Covers(made.Token) || len(x.Because) != 1 || x.Because[0].Cause.Message != "for the team" {
			t.Errorf("%+v, as of %s", x, found.Witness.ServedToken)
		}
		_, err = k.Why(t.Context(), candor.VersionRef{Ref: candor.Ref{Kind: candor.KindNamespaces, Name: "never"}})
		wantReason(t, err, candor.ReasonNotFound)
		_, err = k.Why(t.Context(), candor.VersionRef{Ref: candor.Ref{Kind: "nothings.example.com", Name: "x"}})
		wantReason(t, err, candor.ReasonUnknownKind)
		member, err := k.Why(t.Context(), candor.VersionRef{Ref: candor.Ref{Kind: candor.SubjectMembers, Name: c.Follower().Name()}})
		noError(t, err)
		if member.Explanation.Headline == "" {
			t.Error("a member is not explained")
		}
		_, err = k.Decision(t.Context(), client.WhichDecision{ID: "d-3-0"})
		wantReason(t, err, candor.ReasonNotFound)
		_, err = k.Decision(t.Context(), client.WhichDecision{})
		wantReason(t, err, candor.ReasonInvalid)
		planned, err := k.Plan(t.Context(), []*candor.Object{{APIVersion: candor.APIVersion, Kind: "Namespace", Metadata: candor.Metadata{Name: "shop"}}})
		noError(t, err)
		if p := planned.Plan; len(p.Creates) != 1 || p.Creates[0].Object.Name != "shop" || p.Token.Revision < made.Token.Revision {
			t.Errorf("planned %+v", p)
		}
		_, err = k.Reconciles(t.Context(), ref)
		noError(t, err)
		_, err = k.Graph(t.Context())
		noError(t, err)
	})
}
