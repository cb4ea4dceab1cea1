//go:build failpoints

package failpoint

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain crashes the child of a test, where that asks for it.
func TestMain(m *testing.M) {
	if os.Getenv("FAILPOINT_CHILD") != "" {
		Hit("handover/seal", "ids")
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestACrashIsASIGKILL, and only where it is armed.
func TestACrashIsASIGKILL(t *testing.T) {
	for spec, signal := range map[string]syscall.Signal{"handover/seal[ids]=crash": syscall.SIGKILL, "handover/seal[tso]=crash": -1} {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "FAILPOINT_CHILD=1", armedBy+"="+spec)
		said, _ := child.CombinedOutput()
		status, ok := child.ProcessState.Sys().(syscall.WaitStatus)
		if !ok || status.Signal() != signal || (signal == syscall.SIGKILL) != strings.Contains(string(said), "failpoint handover/seal[ids]: crash") {
			t.Errorf("%s: %v, %s", spec, child.ProcessState, said)
		}
	}
}

// TestAFileArmsAProcessThatRuns and shifts its clock, from then on.
func TestAFileArmsAProcessThatRuns(t *testing.T) {
	points, clock := filepath.Join(t.TempDir(), "points"), filepath.Join(t.TempDir(), "clock")
	arms, shift = "@"+points, "@"+clock
	t.Cleanup(func() { arms, shift = "", "" })
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	Hit("tenure/renew", "tso")
	if Shift() != 0 {
		t.Error("the clock is shifted")
	}
	write(points, "tenure/renew=pause:30ms, tenure/answered=error@2,duty/run=panic\n")
	write(clock, "-1h\n")
	began := time.Now()
	Hit("tenure/renew", "tso")
	if took := time.Since(began); took < 30*time.Millisecond {
		t.Errorf("a pause of %s", took)
	}
	if first, second := Fail("tenure/answered", "ids"), Fail("tenure/answered", "ids"); first != nil || second == nil {
		t.Errorf("%v, %v", first, second)
	}
	if Shift() != -time.Hour {
		t.Errorf("shifted by %s", Shift())
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	Hit("duty/run", "ids")
}
