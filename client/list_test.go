package client_test

import (
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

func (n *node) page(revision uint64, more string, objects int) script {
	return func(c *call) error {
		out := &candorv1.ListResponse{Revision: revision, Continue: more, Witness: n.witness(token(5), n)}
		for range objects {
			out.Objects = append(out.Objects, webObject(revision))
		}
		return c.send(out)
	}
}

func all(t *testing.T, c *client.Client) (objects int, err error) {
	t.Helper()
	for object, failure := range c.All(t.Context(), web.Kind, client.ListOptions{Namespace: "default", Selector: "a=b", Limit: 2}) {
		if failure != nil {
			return objects, failure
		}
		if object.Metadata.Name != "web" {
			t.Errorf("object %+v", object)
		}
		objects++
	}
	return objects, nil
}

func TestAllYieldsEveryPageOfOneRevision(t *testing.T) {
	s := newStage(t, "n1")
	n1 := s.node("n1")
	n1.on("List", sequence(n1.page(5, "x", 2), n1.page(5, "y", 2), n1.page(5, "", 1)))
	c := s.client([]string{"n1"})
	objects, err := all(t, c)
	noError(t, err)
	if objects != 5 {
		t.Errorf("%d objects, want 5", objects)
	}
	for i, want := range []string{"", "x", "y"} {
		in := n1.arrived("List")[i].in.(*candorv1.ListRequest)
		if in.GetContinue() != want || in.GetLimit() != 2 || in.GetLabelSelector() != "a=b" || in.GetNamespace() != "default" {
			t.Errorf("page %d was asked for with %v", i, in)
		}
	}
}

func TestAllEndsWithTheErrorThatCutItShort(t *testing.T) {
	s := newStage(t, "n1")
	n1 := s.node("n1")
	c := s.client([]string{"n1"})
	n1.on("List", sequence(n1.page(5, "x", 2), refuses(&candor.Error{Reason: candor.ReasonCompacted})))
	objects, err := all(t, c)
	wantReason(t, err, candor.ReasonCompacted)
	if objects != 2 {
		t.Errorf("%d objects before the error, want 2", objects)
	}
	n1.on("List", sequence(n1.page(5, "x", 2), n1.page(6, "", 2)))
	objects, err = all(t, c)
	wantReason(t, err, candor.ReasonInvariantViolated)
	if objects != 2 {
		t.Errorf("%d objects, and the second page is of another revision", objects)
	}
}

func TestHistoryAndOutcome(t *testing.T) {
	s := newStage(t, "n1")
	n1 := s.node("n1")
	n1.on("History", func(c *call) error {
		return c.send(&candorv1.HistoryResponse{Floor: 3, Witness: n1.witness(token(5), n1), Versions: []*candorv1.ObjectVersion{
			{Revision: 5, Deleted: true, Object: webObject(4)}, {Revision: 4, Object: webObject(4)},
		}})
	})
	n1.on("Outcome", func(c *call) error {
		return c.send(&candorv1.OutcomeResponse{
			Outcome: candorv1.Outcome_OUTCOME_APPLIED, AcceptedRootToken: &candorv1.RootToken{Term: 1, Index: 4, Revision: 4},
			Witness: n1.witness(token(5), n1),
		})
	})
	c := s.client([]string{"n1"})
	h, err := c.History(t.Context(), web)
	noError(t, err)
	if h.Floor != 3 || len(h.Versions) != 2 || !h.Versions[0].Deleted || h.Versions[1].Object.Metadata.ResourceVersion != 4 {
		t.Errorf("history %+v", h)
	}
	o, err := c.Outcome(t.Context(), "r-1")
	noError(t, err)
	if o.Outcome != candor.OutcomeApplied || o.Token != token(4) || o.Witness.NodeName != "n1" {
		t.Errorf("outcome %+v", o)
	}
}
