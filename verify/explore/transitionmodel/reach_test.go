package transitionmodel_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/verify/explore/transitionmodel"
)

// Promises that hold where nothing happens say nothing: every end that production's
// executor, an operator or the root may write is reached, by every kind of change.
func TestEveryEndAndKindIsReached(t *testing.T) {
	ends, kinds := map[transition.Phase]bool{}, map[transition.Kind]bool{}
	rules := transitionmodel.Real()
	rules.Guarantees = append(slices.Clone(rules.Guarantees), transition.Guarantee{Name: "Seen", Check: func(_, after *transition.Transition) string {
		if after.Status.Phase.Terminal() {
			ends[after.Status.Phase] = true
		}
		if after.Status.Phase.Succeeded() {
			kinds[after.Plan.Kind] = true
		}
		return ""
	}})
	for _, b := range []bounds{
		within["silence"], within["superseding"],
		{Voters: three, Requests: []request{replace("c", "d"), {Cancels: 1}}, InFlight: 1},
		{Voters: three, Requests: []request{replace("a", "d")}, InFlight: 1},
	} {
		if report := run(t, b, rules, 200_000); report.Failure != nil {
			t.Error(report.Failure)
		}
	}
	want := []transition.Phase{transition.PhaseAborted, transition.PhaseCancelled, transition.PhaseFailed, transition.PhasePublished, transition.PhaseSuperseded}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(ends))); diff != "" {
		t.Errorf("ends:\n%s", diff)
	}
	all := []transition.Kind{transition.LeaderTransfer, transition.MemberAdd, transition.MemberPromote, transition.MemberRemove, transition.MemberReplace}
	if diff := cmp.Diff(all, slices.Sorted(maps.Keys(kinds))); diff != "" {
		t.Errorf("kinds:\n%s", diff)
	}
}
