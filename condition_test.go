package candor_test

import (
	"testing"
	"time"

	"github.com/candor-plane/candor"
)

func TestAConditionKeepsItsTimeWhileItsStatusStays(t *testing.T) {
	first, later := time.Unix(100, 0), time.Unix(200, 0)
	none := candor.Conditions(nil)
	one := none.With(candor.Condition{Type: candor.ConditionReady, Status: candor.ConditionFalse, Reason: candor.WhyStarting, LastTransitionTime: first})
	two := one.With(candor.Condition{Type: candor.ConditionReady, Status: candor.ConditionFalse, Reason: candor.WhyProbeFailing, LastTransitionTime: later})
	if got := two.Get(candor.ConditionReady); !got.LastTransitionTime.Equal(first) || got.Reason != candor.WhyProbeFailing {
		t.Errorf("another reason for the same status: %+v", got)
	}
	three := two.With(candor.Condition{Type: candor.ConditionReady, Status: candor.ConditionTrue, Reason: candor.WhyRunning, LastTransitionTime: later})
	if got := three.Get(candor.ConditionReady); !got.LastTransitionTime.Equal(later) || !three.True(candor.ConditionReady) {
		t.Errorf("another status: %+v", got)
	}
	if one.Get(candor.ConditionReady).Reason != candor.WhyStarting || none.Get(candor.ConditionReady) != nil {
		t.Error("With modified what it was called on")
	}
	if rest := three.Without(candor.ConditionReady); rest.Get(candor.ConditionReady) != nil || len(three) != 1 {
		t.Error("Without left it, or modified what it was called on")
	}
}

func TestEveryConditionReasonIsOfAKnownType(t *testing.T) {
	types := map[string]bool{
		candor.ConditionReady: true, candor.ConditionScheduled: true, candor.ConditionAvailable: true, candor.ConditionProgressing: true,
		candor.ConditionSchedulable: true, candor.ConditionAccepted: true, candor.ConditionOvercommitted: true, candor.ConditionDrained: true,
		candor.ConditionCordoned: true,
	}
	seen := map[string]bool{}
	for _, r := range candor.ConditionReasons() {
		if !types[r.Type] || r.Meaning == "" || seen[r.Type+"/"+r.Reason] {
			t.Errorf("%+v: of no type, without a meaning, or there twice", r)
		}
		seen[r.Type+"/"+r.Reason] = true
	}
}

func TestATolerationMatchesByWhatItNames(t *testing.T) {
	taint := candor.Taint{Key: "disk", Value: "slow", Effect: candor.NoSchedule}
	for toleration, want := range map[candor.Toleration]bool{
		{}: true, {Key: "disk"}: true, {Key: "disk", Value: "slow"}: true, {Effect: candor.NoSchedule}: true,
		{Key: "disk", Value: "fast"}: false, {Key: "net"}: false, {Key: "disk", Effect: candor.NoExecute}: false,
	} {
		if got := toleration.Tolerates(taint); got != want {
			t.Errorf("%+v tolerates %s: %t, want %t", toleration, taint, got, want)
		}
	}
}
