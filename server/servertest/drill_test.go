package servertest_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/server/servertest"
	"github.com/candor-plane/candor/verify/history"
)

// drilled are the scenarios that every run of the tests drills in virtual time; random
// ones come with the simulated day.
var drilled = []string{"disk-hung"}

// TestDrillsInVirtualTime: each scenario of the library that takes no processes passes on
// a cluster in memory. CANDOR_CHAOS=all drills all of them, CANDOR_CHAOS=NAME,FILE.yaml
// those; CANDOR_SEED=N chooses the seed, from which targets and traffic come. Which
// goroutine runs first does not come from it: a seed is no promise of the same run.
func TestDrillsInVirtualTime(t *testing.T) {
	long(t)
	seed := seedOf(t)
	for _, s := range chosenOf(t) {
		t.Run(s.Name, func(t *testing.T) {
			began := time.Now()
			took, outcome := drilledIn(t, t.TempDir(), s, seed, looksOf(s))
			if outcome == nil {
				return
			}
			elapsed := time.Since(began)
			t.Logf("%s of virtual time in %s: %.0f times as fast as the clock", took.Round(time.Second), elapsed.Round(time.Millisecond), took.Seconds()/elapsed.Seconds())
			if e := outcome.Evidence; len(e.Beliefs) == 0 || len(e.Replays) == 0 || len(e.Floors) == 0 && s.Cluster.Flags["retain-revisions"] != "" {
				t.Errorf("%d beliefs of holders, %d states that were computed again, %d floors: want some of each", len(e.Beliefs), len(e.Replays), len(e.Floors))
			}
			if outcome.Report.Verdict != history.Pass {
				t.Errorf("%s\nagain: CANDOR_CHAOS=%s CANDOR_SEED=%d go test -count=1 -v -run TestDrillsInVirtualTime ./server/servertest",
					textOf(t, &outcome.Report), s.Name, seed)
			}
		})
	}
}

func seedOf(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("CANDOR_SEED")
	if text == "" {
		return 1
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("CANDOR_SEED: %v", err)
	}
	return seed
}

// chosenOf are the scenarios that CANDOR_CHAOS names: of "all", those that a cluster in
// memory can have befall it.
func chosenOf(t *testing.T) (chosen []*scenario.Scenario) {
	t.Helper()
	names := drilled
	switch text := os.Getenv("CANDOR_CHAOS"); text {
	case "":
	case "all":
		all, err := scenario.Library()
		noError(t, err)
		for _, s := range all {
			if err := servertest.Able(s); err != nil {
				t.Logf("%s: not drilled here: %v", s.Name, err)
				continue
			}
			chosen = append(chosen, s)
		}
		return chosen
	default:
		names = strings.Split(text, ",")
	}
	for _, name := range names {
		s, err := named(name)
		noError(t, err)
		chosen = append(chosen, s)
	}
	return chosen
}

func named(name string) (*scenario.Scenario, error) {
	if !strings.HasSuffix(name, ".yaml") {
		return scenario.Named(name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return scenario.Parse(filepath.Base(name), text)
}

// drilledIn drills in a bubble, with the servers' data in a folder, and says how long that
// took there. The outcome is nil where there was no drill, and the test has failed.
func drilledIn(t *testing.T, data string, s *scenario.Scenario, seed uint64, look time.Duration) (took time.Duration, outcome *drill.Outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		stage := servertest.StartStage(t, data, s)
		var err error
		outcome, err = drill.Run(t.Context(), drill.Options{
			Scenario: s, Stage: stage, Seed: seed, Look: look, Version: "test",
			Command: "go test -run TestDrillsInVirtualTime ./server/servertest",
		})
		took = time.Since(began)
		noError(t, err)
	})
	return took, outcome
}
