package generate

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/scenario"
)

func silentNodesPolicy(failure candor.Failure, action string, detect, act, recovery time.Duration) *candor.FailurePolicySpec {
	return &candor.FailurePolicySpec{Kind: candor.KindNodes, Objects: "site=edge", Modes: []candor.FailureMode{{
		Failure: failure, Signal: candor.SignalHeartbeat, DetectWithin: candor.Duration(detect), Action: action,
		ActAfter: candor.Duration(act), RecoverWithin: candor.Duration(recovery),
	}}}
}

// TestADrillOfAPolicyInjectsWhatItDeclares: a silence that is no failure, even counted from
// the beat before it, and one in which the action falls due and there is time to see it.
// The file that it is written as comes to the same.
func TestADrillOfAPolicyInjectsWhatItDeclares(t *testing.T) {
	for name, p := range map[string]*candor.FailurePolicySpec{
		"evict":    silentNodesPolicy(candor.FailurePartition, candor.ActionEvict, 15*time.Second, 30*time.Second, 2*time.Minute),
		"cordon":   silentNodesPolicy(candor.FailureCrash, candor.ActionCordon, time.Minute, 10*time.Minute, 15*time.Minute),
		"none":     silentNodesPolicy(candor.FailurePartition, candor.ActionNone, time.Second, 0, time.Minute),
		"at-once":  silentNodesPolicy(candor.FailurePartition, candor.ActionEvict, time.Second, 0, time.Second),
		"name.two": silentNodesPolicy(candor.FailurePartition, candor.ActionEvict, 3*time.Second, 2*time.Second, 30*time.Second),
	} {
		s, err := ForPolicy(name, p)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		mode := p.Silence()
		detect := time.Duration(mode.DetectWithin)
		due := detect + time.Duration(mode.ActAfter)
		short, long := s.Faults[0], s.Faults[1]
		if short.Kind != scenario.LoseNodes || long.Kind != scenario.LoseNodes || len(s.Faults) != 2 {
			t.Errorf("%s: %+v", name, s.Faults)
		}
		if d := time.Duration(short.For); d < detect/3 || d+detect/3 >= detect {
			t.Errorf("%s: the short silence lasts %s of %s", name, d, detect)
		}
		if d := time.Duration(long.For); d <= due+10*time.Second {
			t.Errorf("%s: the long silence lasts %s, and the action is due after %s", name, d, due)
		}
		if apart := time.Duration(long.At - short.End()); apart < detect/3 {
			t.Errorf("%s: %s between the two: nobody need be heard", name, apart)
		}
		if s.Cluster.Nodes <= long.Count || s.Cluster.Policy.Objects != "" || p.Objects != "site=edge" {
			t.Errorf("%s: %+v", name, s.Cluster)
		}
		if err := drill.Sound(s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		text, err := Text(s)
		if err != nil {
			t.Fatal(err)
		}
		again, err := scenario.Parse(name, text)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		if diff := cmp.Diff(s, again); diff != "" {
			t.Errorf("%s is another once it is written:\n%s", name, diff)
		}
	}
}

// TestWhatNoFaultInjectsIsRefused.
func TestWhatNoFaultInjectsIsRefused(t *testing.T) {
	for _, c := range []struct {
		policy candor.FailurePolicySpec
		reason candor.Reason
	}{
		{candor.FailurePolicySpec{Kind: candor.KindWorkloads}, candor.ReasonInvalid},
		{candor.FailurePolicySpec{Kind: candor.KindWorkloads, Modes: []candor.FailureMode{{Failure: candor.FailureCrash, Signal: candor.SignalHeartbeat, Action: candor.ActionNone}}}, candor.ReasonInvalid},
		{candor.FailurePolicySpec{Kind: "budgets.candor"}, candor.ReasonInvalid},
		{candor.FailurePolicySpec{Kind: candor.KindNodes}, candor.ReasonInvalid},
	} {
		if s, err := ForPolicy("p", &c.policy); candor.ReasonOf(err) != c.reason {
			t.Errorf("%+v: %+v, %v", c.policy, s, err)
		}
	}
}
