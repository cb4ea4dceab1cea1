package candor_test

import (
	"maps"
	"testing"
	"time"

	"github.com/candor-plane/candor"
)

// A worker and a controller that look at one set of policies find the same one, in
// whatever order they have them.
func TestWhatHoldsOfAnObjectIsSaidByItsPolicyAndElseByTheDefault(t *testing.T) {
	probe := func(failure candor.Failure, seconds int) candor.FailureMode {
		return candor.FailureMode{Failure: failure, Signal: candor.SignalProbe, DetectWithin: candor.Duration(time.Duration(seconds) * time.Second)}
	}
	all := map[string]*candor.FailurePolicySpec{
		"default-workloads": {Kind: candor.KindWorkloads, Objects: "never=matched", Modes: []candor.FailureMode{probe(candor.FailureSlow, 30)}},
		"default-nodes":     {Kind: candor.KindNodes},
		"mute":              {Kind: candor.KindWorkloads, Objects: "tier=mute"},
		"b":                 {Kind: candor.KindWorkloads, Objects: "tier", Modes: []candor.FailureMode{probe(candor.FailureSlow, 2)}},
		"a":                 {Kind: candor.KindWorkloads, Objects: "tier=web", Modes: []candor.FailureMode{probe(candor.FailureCrash, 1)}},
		"0":                 {Kind: candor.KindWorkloads, Objects: "((", Modes: []candor.FailureMode{probe(candor.FailureSlow, 9)}},
	}
	for tier, want := range map[string]struct {
		policy, from string
		detect       time.Duration
	}{
		"":     {"default-workloads", "default-workloads", 30 * time.Second},
		"web":  {"a", "a", time.Second},
		"any":  {"b", "b", 2 * time.Second},
		"mute": {"b", "b", 2 * time.Second},
	} {
		labels := map[string]string{}
		if tier != "" {
			labels["tier"] = tier
		}
		name, policy := candor.FailurePolicyFor(candor.KindWorkloads, labels, maps.All(all))
		mode, from := candor.FailureModeFor(candor.KindWorkloads, labels, maps.All(all), candor.SignalProbe, candor.FailureSlow, candor.FailureCrash)
		if name != want.policy || policy != all[want.policy] || from != want.from || time.Duration(mode.DetectWithin) != want.detect {
			t.Errorf("tier %q: policy %s, and %s says %+v", tier, name, from, mode)
		}
	}
	delete(all, "b")
	mode, from := candor.FailureModeFor(candor.KindWorkloads, map[string]string{"tier": "mute"}, maps.All(all), candor.SignalProbe, candor.FailureSlow)
	if from != "default-workloads" || time.Duration(mode.DetectWithin) != 30*time.Second {
		t.Errorf("a policy that says nothing leaves it to the default: %s says %+v", from, mode)
	}
	if mode, from := candor.FailureModeFor(candor.KindNodes, nil, maps.All(all), candor.SignalHeartbeat, candor.FailurePartition); mode != nil || from != "" {
		t.Errorf("nobody says anything of it: %s says %+v", from, mode)
	}
}
