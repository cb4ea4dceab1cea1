package server

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
	"github.com/candor-plane/candor/server/diag"
	"github.com/candor-plane/candor/server/read"
)

func status(catchUp candor.CatchUpState, mode candor.DegradedMode, why freshness.ModeReason) *read.Status {
	return &read.Status{Condition: freshness.Condition{CatchUp: catchUp, Action: candor.CatchUpNone, Mode: mode, Reason: why}}
}

func TestEveryConditionThatIsNotHealthyIsAFindingWithANextStep(t *testing.T) {
	for _, x := range []struct {
		of   *read.Status
		want string
	}{
		{status(candor.CatchUpFresh, candor.ModeHealthy, ""), ""},
		{status(candor.CatchUpFresh, candor.ModeCoordinatorDegraded, freshness.ReasonNoLeader), ""},
		{status(candor.CatchUpFresh, candor.ModeViewOnly, freshness.ReasonOperator), "warning VIEW_ONLY"},
		{status("", candor.ModeViewOnly, freshness.ReasonRemoved), "warning VIEW_ONLY"},
		{status(candor.CatchUpRecovering, candor.ModeViewOnly, freshness.ReasonQuarantined), "critical VIEW_ONLY, warning RECOVERING"},
		{status(candor.CatchUpUnavailable, candor.ModeRootUnavailable, freshness.ReasonNoView), "warning ROOT_UNAVAILABLE"},
		{status("", candor.ModeRootUnavailable, freshness.ReasonNoProof), "warning ROOT_UNAVAILABLE"},
		{status(candor.CatchUpLagging, candor.ModeRootLagging, freshness.ReasonLag), "warning ROOT_LAGGING"},
		{status(candor.CatchUpLagging, candor.ModeRootLagging, freshness.ReasonProofAge), "warning ROOT_LAGGING"},
		{status(candor.CatchUpBootstrapRequired, candor.ModeRootLagging, freshness.ReasonLag), "warning ROOT_LAGGING, warning BOOTSTRAP_REQUIRED"},
	} {
		var got []string
		for _, f := range conditionFindings("n2", x.of) {
			got = append(got, f.GetSeverity()+" "+f.GetReason())
			if f.GetSubject() != "n2" || f.GetMessage() == "" || f.GetNextAction() == "" {
				t.Errorf("%+v: finding %v names no server, cause or next step", x.of.Condition, f)
			}
		}
		if strings.Join(got, ", ") != x.want {
			t.Errorf("%+v: findings %v, want %q", x.of.Condition, got, x.want)
		}
	}
}

func series(s *read.Status) []string {
	var out []string
	conditionMetrics(s, func(m diag.Metric) {
		if m.Value != 0 {
			out = append(out, strings.Join(slices.Concat([]string{m.Name}, m.Labels, []string{fmt.Sprint(m.Value)}), " "))
		}
	})
	return out
}

func TestWhatIsNotProvenHasNoSeries(t *testing.T) {
	unproven := status("", candor.ModeRootUnavailable, freshness.ReasonNoProof)
	unproven.Probes, unproven.ProbesFailed = 5, 5
	names := map[string]bool{}
	conditionMetrics(unproven, func(m diag.Metric) { names[m.Name] = true })
	for _, absent := range []string{"proof_age_seconds", "newest_proof_age_seconds", "root_lag"} {
		if names[absent] {
			t.Errorf("%s has a series without a proof", absent)
		}
	}
	want := []string{"catch_up_action action NONE 1", "degraded_mode mode ROOT_UNAVAILABLE 1", "probes_total 5", "probes_failed_total 5"}
	if diff := cmp.Diff(want, series(unproven)); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}

func TestALagOfZeroThatIsProvenHasASeries(t *testing.T) {
	fresh := status(candor.CatchUpFresh, candor.ModeHealthy, "")
	fresh.Lag, fresh.ProofAge, fresh.NewestAge = new(uint64(0)), new(40*time.Millisecond), new(20*time.Millisecond)
	fresh.Reads = []read.Count{{Class: candor.FreshnessBounded, Mechanism: candor.MechanismProvenView, Count: 7}}
	lag := -1.0
	conditionMetrics(fresh, func(m diag.Metric) {
		if m.Name == "root_lag" {
			lag = m.Value
		}
	})
	if lag != 0 {
		t.Errorf("root_lag %v, want a series that is 0", lag)
	}
	want := []string{
		"proof_age_seconds 0.04", "newest_proof_age_seconds 0.02", "catch_up_state state FRESH 1", "catch_up_action action NONE 1",
		"degraded_mode mode HEALTHY 1", "reads_total freshness BOUNDED mechanism PROVEN_VIEW 7",
	}
	if diff := cmp.Diff(want, series(fresh)); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}
