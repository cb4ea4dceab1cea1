package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/candor-plane/candor/verify/sim"
)

// TestAViolationNamesItsShortestWay: the check, each step, and one command to copy.
func TestAViolationNamesItsShortestWay(t *testing.T) {
	var out bytes.Buffer
	o := &VerifySimOptions{Factory: &Factory{Out: &out, Flags: &Flags{}, Getenv: func(string) string { return "" }}, Steps: sim.DefaultSteps}
	whole := sim.New(17, 0)
	few, most := whole.Only([]int{3, 7, 8, 9}), whole.Without([]int{5})
	longer := sim.New(17, 120)
	for want, s := range map[string]sim.Schedule{
		"candor verify sim --seed 17": whole, "candor verify sim --seed 17 --keep 3,7-9": few, "candor verify sim --seed 17 --drop 5": most,
		"candor verify sim --seed 17 --steps 120": longer,
	} {
		if got := o.replay(&s); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	d := simulationDocument{Totals: sim.NewTotals(), Violations: []simulationFail{{
		Seed: 17, Failure: &sim.Failure{Check: "belief"}, Least: &sim.Failure{Check: "belief", Detail: "s1 and s2 both"}, Choices: []int{3, 7, 8, 9},
		Replay: o.replay(&few), Steps: []string{"#3 hold", "#7 crash"},
	}}}
	d.Failed = 1
	if err := o.tell(&d); err != nil {
		t.Fatal(err)
	}
	const want = `seed 17: VIOLATION of belief
  s1 and s2 both

the shortest way to it, 4 choices:
  #3 hold
  #7 crash

TRY: candor verify sim --seed 17 --keep 3,7-9 --log

`
	if !strings.HasPrefix(out.String(), want) || !strings.HasSuffix(out.String(), "\n1 violations\n") {
		t.Errorf("told:\n%s", &out)
	}
}
