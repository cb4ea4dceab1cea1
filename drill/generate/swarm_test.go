package generate_test

import (
	"bytes"
	"cmp"
	"slices"
	"testing"
	"time"

	compare "github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/generate"
	"github.com/candor-plane/candor/drill/scenario"
)

// TestASeedIsARandomScenario, the same each time, which a file can hold; together the
// seeds have each kind that a cluster in memory makes, and pauses of every length.
func TestASeedIsARandomScenario(t *testing.T) {
	kinds, pauses := map[scenario.Kind]int{}, map[scenario.Duration]bool{}
	for seed := range uint64(60) {
		s, err := generate.Swarm(seed, 20*time.Minute, generate.SwarmPace)
		if err != nil {
			t.Fatal(err)
		}
		again, err := generate.Swarm(seed, 20*time.Minute, generate.SwarmPace)
		if diff := compare.Diff(s, again); err != nil || diff != "" {
			t.Errorf("seed %d again: %v %s", seed, err, diff)
		}
		text, err := generate.Text(s)
		if err != nil {
			t.Fatal(err)
		}
		read, err := scenario.Parse("swarm.yaml", text)
		if diff := compare.Diff(s, read); err != nil || diff != "" {
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

// TestFaultsComeAsOftenAsTheyAreAskedFor, whatever the seed.
func TestFaultsComeAsOftenAsTheyAreAskedFor(t *testing.T) {
	const length, every = 4 * time.Hour, 10 * time.Minute
	beginnings := 0
	for seed := range uint64(20) {
		s, err := generate.Swarm(seed, length, every)
		if err != nil {
			t.Fatal(err)
		}
		var last scenario.Duration
		slices.SortFunc(s.Faults, func(a, b scenario.Fault) int { return cmp.Compare(a.At, b.At) })
		for i := range s.Faults {
			if at := s.Faults[i].At; i == 0 || at-last > scenario.Duration(15*time.Second) {
				beginnings++
			}
			last = s.Faults[i].At
		}
		if pause := s.Load.Workloads[0].Pause; pause != scenario.Duration(8*time.Second) {
			t.Errorf("seed %d: clients pause for %s", seed, time.Duration(pause))
		}
	}
	// What comes besides comes at times of its own, one to five of them a scenario.
	if mean := beginnings / 20; mean < 20 || mean > 30 {
		t.Errorf("faults begin %d times in %s, want about %d", mean, length, length/every)
	}
}

// TestNoScenarioIsTooShort for the faults in it, nor has them sooner than they are over.
func TestNoScenarioIsTooShort(t *testing.T) {
	for _, of := range []struct{ length, every time.Duration }{{time.Minute, generate.SwarmPace}, {time.Hour, time.Second}} {
		if s, err := generate.Swarm(1, of.length, of.every); candor.ReasonOf(err) != candor.ReasonUsage {
			t.Errorf("%+v: %v", s, err)
		}
	}
}
