package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/cli"
	"github.com/candor-plane/candor/verify/sim"
)

func simulated(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	return simulatedIn(t.Context(), args...)
}

func simulatedIn(ctx context.Context, args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	f := &cli.Factory{In: strings.NewReader(""), Out: &o, Err: &e, Flags: &cli.Flags{}, Getenv: func(string) string { return "" }, Connect: newShelf().connect}
	code = cli.Run(ctx, f, append([]string{"verify", "sim"}, args...))
	return code, o.String(), e.String()
}

// TestSimulationsSayWhatTheyDid: how much, how fast, which faults, and what was checked.
func TestSimulationsSayWhatTheyDid(t *testing.T) {
	code, out, errs := simulated(t, "--seeds", "1..30")
	if code != candor.ExitDone {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	for _, want := range []string{"\n30 schedules, ", " schedules/s, ", " turns/s, ", "\n0 violations\n", "\ncrash ", "\nwatch events "} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	code, out, _ = simulated(t, "--seeds", "1..30", "--workers", "3", "-o", "json")
	var document struct {
		Kind      string
		Schedules int
		Turns     int
		PerSecond map[string]int
		Faults    map[string]int
	}
	if err := json.Unmarshal([]byte(out), &document); code != candor.ExitDone || err != nil {
		t.Fatalf("exit %d, %v: %s", code, err, out)
	}
	if document.Kind != "Simulation" || document.Schedules != 30 || document.Turns == 0 || document.PerSecond["turns"] == 0 || document.Faults["crash"] == 0 {
		t.Errorf("%+v", document)
	}
}

// TestOneScheduleIsToldStepByStep, by its seed or from a file, and it is the same one.
func TestOneScheduleIsToldStepByStep(t *testing.T) {
	code, told, errs := simulated(t, "--seed", "7", "--drop", "10-90", "--log")
	if code != candor.ExitDone || !strings.Contains(told, "#9 ") || strings.Contains(told, "#10 ") || !strings.Contains(told, "LeaderStart") {
		t.Fatalf("exit %d: %s%s", code, told, errs)
	}
	var dropped []int
	for n := 10; n <= 90; n++ {
		dropped = append(dropped, n)
	}
	schedule := sim.New(7, 0)
	schedule = schedule.Without(dropped)
	data, err := schedule.Encode()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "schedule.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	code, again, errs := simulated(t, "--file", path, "--log")
	steps := func(text string) string {
		before, _, _ := strings.Cut(text, "FAULT ")
		return before
	}
	if code != candor.ExitDone || steps(again) != steps(told) {
		t.Errorf("exit %d, %s; from a file:\n%s\nby its seed:\n%s", code, errs, again, told)
	}
}

// TestASimulationThatEndsEarlySaysHowFarItCame: by its time it is done, by an interrupt it
// is not.
func TestASimulationThatEndsEarlySaysHowFarItCame(t *testing.T) {
	code, out, errs := simulated(t, "--seeds", "1..1000000", "--for", "50ms")
	if code != candor.ExitDone || !strings.Contains(out, "seeds were not run: it ended before them\n") || !strings.Contains(out, "\n0 violations\n") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	code, out, errs = simulatedIn(ctx, "--seeds", "1..1000000")
	if code == candor.ExitDone || !strings.Contains(errs, "interrupted: ") || !strings.Contains(out, "1000000 seeds were not run") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
}

// TestASimulationThatCannotBeIsRefused before anything runs.
func TestASimulationThatCannotBeIsRefused(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.json")
	if err := os.WriteFile(broken, []byte(`{"format":"candor-schedule/2"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		args []string
		exit int
		want string
	}{
		{[]string{"--seeds", "9..3"}, candor.ExitUsage, "want FROM..TO"},
		{[]string{"--keep", "3"}, candor.ExitUsage, "name it with --seed"},
		{[]string{"--seed", "1", "--keep", "x"}, candor.ExitError, "want some like 3,7-12"},
		{[]string{"--steps", "0"}, candor.ExitUsage, "want 1 or more"},
		{[]string{"--file", broken + "x"}, candor.ExitNotFound, "there is no file"},
		{[]string{"--file", broken}, candor.ExitError, "want \"candor-schedule/1\""},
	} {
		if code, out, errs := simulated(t, row.args...); code != row.exit || !strings.Contains(errs, row.want) {
			t.Errorf("%v: exit %d, want %d: %s%s", row.args, code, row.exit, out, errs)
		}
	}
}
