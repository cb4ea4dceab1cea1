package generate_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor/drill/generate"
	"github.com/candor-plane/candor/drill/scenario"
)

// TestASeedIsARandomScenario, the same each time, which a file can hold; together the
// seeds have each kind that a cluster in memory makes, and pauses of every length.
func TestASeedIsARandomScenario(t *testing.T) {
	kinds, pauses := map[scenario.Kind]int{}, map[scenario.Duration]bool{}
	for seed := range uint64(60) {
		s, err := generate.Swarm(seed, 20*time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		again, err := generate.Swarm(seed, 20*time.Minute)
		if diff := cmp.Diff(s, again); err != nil || diff != "" {
			t.Errorf("seed %d again: %v %s", seed, err, diff)
		}
		text, err := generate.Text(s)
		if err != nil {
			t.Fatal(err)
		}
		read, err := scenario.Parse("swarm.yaml", text)
		if diff := cmp.Diff(s, read); err != nil || diff != "" {
			t.Errorf("seed %d, read from\n%s: %v %s", seed, text, err, diff)
		}
		if len(s.Faults) < 10 || bytes.Count(text, []byte("\n")) < 10 {
			t.Errorf("seed %d: %d faults", seed, len(s.Faults))
		}
		for i := range s.Faults {
			kinds[s.Faults[i].Kind]++
			if s.Faults[i].Kind == scenario.Pause {
				pauses[s.Faults[i].For] = true
			}
		}
	}
	if len(kinds) != 21 || len(pauses) != 6 {
		t.Errorf("%d kinds %v, pauses of %v", len(kinds), kinds, pauses)
	}
}

// TestNoScenarioIsTooShort for the faults in it.
func TestNoScenarioIsTooShort(t *testing.T) {
	if s, err := generate.Swarm(1, time.Minute); err == nil {
		t.Errorf("%+v", s)
	}
}
