package coverage_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/coverage"
	"github.com/candor-plane/candor/verify/history"
)

// TestAHistoryShowsConditions of each server, boot by boot, in the order of its answers;
// an answer that may have been overtaken shows nothing.
func TestAHistoryShowsConditions(t *testing.T) {
	token := candor.Token{Term: 1, Index: 1, Revision: 1}
	answer := func(invoke, back int64, node, boot string, catchUp candor.CatchUpState, mode candor.DegradedMode) history.Operation {
		return history.Operation{
			Client: "c", Kind: history.KindGet, Items: []history.Item{{Key: "k", Absent: true}}, Sessionless: true,
			Outcome: history.OutcomeOK, Invoke: invoke, Return: back, Token: token,
			Witness: &candor.Witness{ServedToken: token, NodeID: node, BootID: boot, CatchUp: catchUp, Mode: mode},
		}
	}
	silent := answer(80, 81, "n1", "", "", "")
	silent.Witness = nil
	h, err := history.New([]history.Operation{
		answer(50, 60, "n1", "b2", candor.CatchUpFresh, candor.ModeHealthy),
		answer(10, 20, "n1", "b1", candor.CatchUpUnavailable, candor.ModeRootUnavailable),
		answer(15, 45, "n1", "b1", candor.CatchUpUnavailable, candor.ModeRootUnavailable),
		answer(30, 40, "n1", "b1", candor.CatchUpFresh, candor.ModeHealthy),
		answer(30, 41, "n2", "b9", "", candor.ModeRootLagging),
		answer(70, 71, "n1", "b2", candor.CatchUpFresh, candor.ModeHealthy),
		silent,
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range coverage.OfHistory(h) {
		got = append(got, s.Of+" "+s.String())
	}
	want := []string{
		"n1 catch-up/STOPPED->UNAVAILABLE:start", "n1 mode/STOPPED->ROOT_UNAVAILABLE:observe",
		"n1 catch-up/UNAVAILABLE->FRESH:observe", "n1 mode/ROOT_UNAVAILABLE->HEALTHY:observe",
		"n2 catch-up/STOPPED->UNKNOWN:observe", "n2 mode/STOPPED->ROOT_LAGGING:observe",
		"n1 catch-up/FRESH->STOPPED:stop", "n1 mode/HEALTHY->STOPPED:stop",
		"n1 catch-up/STOPPED->FRESH:observe", "n1 mode/STOPPED->HEALTHY:observe",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
