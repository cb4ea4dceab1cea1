package policies

import (
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/informer"
)

func policy(t *testing.T, name string, spec candor.FailurePolicySpec) *kinds.FailurePolicy {
	t.Helper()
	p, err := kinds.ReadFailurePolicy(informer.NewItem(candor.KindFailurePolicies, &candor.Object{
		Metadata: candor.Metadata{Name: name}, Spec: kinds.Encode(spec),
	}))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func silence(failure candor.Failure, seconds int) []candor.FailureMode {
	return []candor.FailureMode{{Failure: failure, Signal: candor.SignalHeartbeat, DetectWithin: candor.Duration(time.Duration(seconds) * time.Second), Action: candor.ActionEvict}}
}

func TestTheFirstByNameThatSelectsCountsAndTheDefaultOtherwise(t *testing.T) {
	all := []*kinds.FailurePolicy{
		policy(t, "z", candor.FailurePolicySpec{Kind: candor.KindNodes, Modes: silence(candor.FailurePartition, 1)}),
		policy(t, "default-nodes", candor.FailurePolicySpec{Kind: candor.KindNodes, Modes: silence(candor.FailurePartition, 9)}),
		policy(t, "edge", candor.FailurePolicySpec{Kind: candor.KindNodes, Objects: "place=edge", Modes: silence(candor.FailurePartition, 2)}),
		policy(t, "bad", candor.FailurePolicySpec{Kind: candor.KindNodes, Objects: "((", Modes: silence(candor.FailurePartition, 3)}),
		policy(t, "a", candor.FailurePolicySpec{Kind: candor.KindWorkloads}),
	}
	for _, c := range []struct {
		labels map[string]string
		all    []*kinds.FailurePolicy
		want   string
	}{
		{map[string]string{"place": "edge"}, all, "edge"},
		{nil, all, "z"},
		{nil, all[1:], "default-nodes"},
	} {
		if p := For(candor.KindNodes, c.labels, c.all); p == nil || p.Ref.Name != c.want {
			t.Errorf("%v: %v, want %s", c.labels, p, c.want)
		}
	}
	if p := For(candor.KindNodes, nil, all[4:]); p != nil {
		t.Errorf("a policy of another kind was found: %s", p.Ref)
	}
}

func TestWhatAPolicyDoesNotSayIsLeftToTheDefaultAndThenToWhatIsBuiltIn(t *testing.T) {
	mute := policy(t, "a", candor.FailurePolicySpec{Kind: candor.KindNodes})
	crash := policy(t, "default-nodes", candor.FailurePolicySpec{Kind: candor.KindNodes, Modes: silence(candor.FailureCrash, 7)})
	mode, from := Silence(nil, []*kinds.FailurePolicy{mute, crash})
	if from != "default-nodes" || time.Duration(mode.DetectWithin) != 7*time.Second {
		t.Errorf("%s: %+v", from, mode)
	}
	mode, from = Silence(nil, []*kinds.FailurePolicy{mute})
	if from != "built-in" || time.Duration(mode.DetectWithin) != 15*time.Second || time.Duration(mode.ActAfter) != 30*time.Second || mode.Action != candor.ActionEvict {
		t.Errorf("%s: %+v", from, mode)
	}
}
