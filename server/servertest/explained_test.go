package servertest_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// TestPlacementsAreExplainedReplayedAndForetold: two nodes of four cores each get six
// instances of one core; four more fit two, and the rest waits. On every server the
// answers are the same.
func TestPlacementsAreExplainedReplayedAndForetold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 2)
		s.create(workload("web", 6, ""))
		s.whole(10*time.Second, "web", 6)
		foretold := s.foretells(workload("web", 10, ""))
		if len(foretold.Creates) != 4 || len(foretold.Placements) != 2 || len(foretold.Unplaceable) != 2 {
			t.Errorf("a plan of four more: %d made, %d placed, %d wait", len(foretold.Creates), len(foretold.Placements), len(foretold.Unplaceable))
		}
		s.patch(workloadRef("web"), `{"replicas":10}`)
		s.eventually(10*time.Second, "two wait", func() bool { return s.status("web").Instances == 10 && s.status("web").Placed == 8 })
		var waiting, placed candor.Ref
		on := ""
		for _, o := range s.list(candor.KindInstances) {
			ref := candor.Ref{Kind: candor.KindInstances, Namespace: "default", Name: o.Metadata.Name}
			if status := instanceStatus(t, o); status.Node == "" {
				waiting = ref
			} else {
				placed, on = ref, status.Node
			}
		}
		for _, server := range s.c.Servers() {
			at := []client.ReadOption{client.OnEndpoint(server.Name()), client.WithFreshness(candor.FreshnessBounded)}
			s.explainsWhatWaits(waiting, at...)
			s.explainsWhatIsPlaced(placed, on, at...)
		}
		if !slices.ContainsFunc(foretold.Unplaceable, func(u candor.Unplaceable) bool { return u.Instance == waiting }) {
			t.Errorf("%s was not told to wait: %+v", waiting, foretold.Unplaceable)
		}
	})
}

// foretells plans that an object is as given.
func (s *site) foretells(o *candor.Object) *candor.Plan {
	s.Helper()
	ctx, cancel := within(10 * time.Second)
	defer cancel()
	planned, err := s.k.Plan(ctx, []*candor.Object{o})
	if err != nil {
		s.Fatal(err)
	}
	return planned.Plan
}

func (s *site) explainsWhatWaits(waiting candor.Ref, at ...client.ReadOption) {
	s.Helper()
	ctx, cancel := within(10 * time.Second)
	defer cancel()
	why, err := s.k.Why(ctx, candor.VersionRef{Ref: waiting}, at...)
	if err != nil {
		s.Fatal(err)
	}
	x := why.Explanation
	if len(x.Nodes) == 0 || x.Nodes[0].Fits || len(x.Nodes[0].Reasons) == 0 || !strings.Contains(x.Headline, "Pending") {
		s.Errorf("why %s waits: %+v", waiting, x)
	}
	for _, node := range []string{"w1", "w2"} {
		not, err := s.k.WhyNot(ctx, waiting, node, at...)
		if err != nil {
			s.Fatal(err)
		}
		if rows := not.Explanation.Nodes; len(rows) != 1 || !slices.Equal(rows[0].Nodes, []string{node}) || rows[0].Fits {
			s.Errorf("why %s is not on %s: %+v", waiting, node, not.Explanation)
		}
	}
	if _, err := s.k.WhyNot(ctx, waiting, "w9", at...); candor.ReasonOf(err) != candor.ReasonNotFound {
		s.Errorf("why not on a node that is not there: %v", err)
	}
}

func (s *site) explainsWhatIsPlaced(placed candor.Ref, on string, at ...client.ReadOption) {
	s.Helper()
	ctx, cancel := within(10 * time.Second)
	defer cancel()
	why, err := s.k.Why(ctx, candor.VersionRef{Ref: placed}, at...)
	if err != nil {
		s.Fatal(err)
	}
	d := why.Explanation.Decision
	if d == nil || d.Node != on || why.Explanation.Replay == nil || !why.Explanation.Replay.Same || len(why.Explanation.Because) == 0 {
		s.Fatalf("why %s is on %s: %+v", placed, on, why.Explanation)
	}
	other := map[string]string{"w1": "w2", "w2": "w1"}[on]
	not, err := s.k.WhyNot(ctx, placed, other, at...)
	if err != nil {
		s.Fatal(err)
	}
	if x := not.Explanation; x.Headline == "" || len(x.Nodes) == 0 || !slices.Equal(x.Nodes[0].Nodes, []string{other}) {
		s.Errorf("why %s is not on %s: %+v", placed, other, x)
	}
	stored, err := s.k.Decision(ctx, client.WhichDecision{Instance: placed}, at...)
	if err != nil {
		s.Fatal(err)
	}
	again, err := s.k.ReplayDecision(ctx, client.WhichDecision{ID: stored.Decision.ID}, at...)
	if err != nil {
		s.Fatal(err)
	}
	if !again.Replay.Same || again.Digest != stored.Decision.Digest || stored.Decision.ID != d.ID {
		s.Errorf("%s again: %+v, digest %s for %s", stored.Decision.ID, again.Replay, again.Digest, stored.Decision.Digest)
	}
}
