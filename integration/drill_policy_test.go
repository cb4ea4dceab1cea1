package integration

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// restartingPolicy says that a process that is killed is started again in place.
const restartingPolicy = `apiVersion: candor/v1
kind: FailurePolicy
metadata: {name: restarts}
spec:
  kind: workloads.candor
  objects: tier=web
  modes:
    - {failure: Crash, signal: Exit, detectWithin: 2s, action: Restart, actAfter: 2s, recoverWithin: 20s}
`

// TestADrillOfAPolicyForWorkloadsEndsProcessesOfWorkers, sees that what it declares is done,
// and leaves nothing that they ran.
func TestADrillOfAPolicyForWorkloadsEndsProcessesOfWorkers(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte(restartingPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	d := drills(ctx, t, "--policy-file", file, "--seed", "7")
	code := d.ends(t)
	environments, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range environments {
		if text, err := os.ReadFile(path); err == nil && bytes.Contains(text, []byte("TMPDIR="+d.temporary)) {
			t.Errorf("it left process %s", path)
		}
	}
	if d.told.Verdict == history.Inconclusive && strings.Contains(strings.Join(d.told.Why, " "), "too busy") {
		t.Skipf("SKIPPED, the machine was too busy for a drill: %v", d.told.Why)
	}
	if code != candor.ExitDone || d.told.Verdict != history.Pass || len(d.told.Faults) != 1 || len(d.told.Faults[0].Befell) != 2 {
		t.Errorf("exit code %d: %s\n%s", code, d.told.Verdict, d.text())
	}
	judged := 0
	for _, p := range d.told.Properties {
		if strings.HasPrefix(p.Property, "Exit: ") && p.Verdict == history.Pass && p.Checked > 0 {
			judged++
		}
	}
	if judged != 3 {
		t.Errorf("%d properties of the policy are kept, want that it is known, acted on, and real again:\n%s", judged, d.text())
	}
	for _, name := range []string{"scenario.yaml", "logs/w1.log"} {
		if info, err := os.Stat(filepath.Join(d.out, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
