package drill

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/scenario"
)

// TestATargetMeansWhatTheClusterIsNow.
func TestATargetMeansWhatTheClusterIsNow(t *testing.T) {
	five := scene{servers: []string{"n1", "n2", "n3", "n4", "n5"}, leader: "n2", holders: map[string]string{"tso": "n4"}}
	for target, count := range map[string]int{"leader": 1, "follower": 1, "followers": 4, "any": 1, "all": 5, "minority": 2, "majority": 3, "holder/tso": 1, "n3": 1} {
		for seed := range uint64(50) {
			got, err := five.resolve(target, rand.New(rand.NewPCG(seed, 0)))
			if err != nil || len(got) != count {
				t.Fatalf("%s: %v, %v", target, got, err)
			}
			again, _ := five.resolve(target, rand.New(rand.NewPCG(seed, 0)))
			if !slices.Equal(got, again) {
				t.Errorf("%s: %v and %v by one seed", target, got, again)
			}
			leads := slices.Contains(got, "n2")
			if wants := target == "leader" || target == "majority" || target == "all"; target != "any" && leads != wants {
				t.Errorf("%s: %v", target, got)
			}
		}
	}
	for target, reason := range map[string]candor.Reason{"holder/ids": candor.ReasonUnavailable, "n9": candor.ReasonNotFound} {
		if _, err := five.resolve(target, rand.New(rand.NewPCG(0, 0))); candor.ReasonOf(err) != reason {
			t.Errorf("%s: %v", target, err)
		}
	}
	if _, err := (scene{servers: five.servers}).resolve("leader", rand.New(rand.NewPCG(0, 0))); candor.ReasonOf(err) != candor.ReasonUnavailable {
		t.Errorf("a leader that is not known: %v", err)
	}
}

// TestATimetableHasEveryTimeOfEveryFaultInOrder.
func TestATimetableHasEveryTimeOfEveryFaultInOrder(t *testing.T) {
	second := scenario.Duration(1e9)
	s := &scenario.Scenario{Faults: []scenario.Fault{
		{Kind: scenario.Transfer, At: 2 * second, Times: 3, Every: 2 * second},
		{Kind: scenario.Kill, At: second, For: 2 * second, Times: 1},
	}}
	var got []string
	for _, o := range timetable(s) {
		got = append(got, string(o.fault.Kind)+" "+o.at.String())
	}
	if want := []string{"KILL 1s", "TRANSFER 2s", "TRANSFER 4s", "TRANSFER 6s"}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}
