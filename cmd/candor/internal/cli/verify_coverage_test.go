package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/cli"
	"github.com/candor-plane/candor/verify/coverage"
)

// What simulations saw and what a file says is reached is one account, on the screen and
// in the file that others are merged into.
func TestACoverageIsGatheredFromSimulationsAndFiles(t *testing.T) {
	dir := t.TempDir()
	explored, all := filepath.Join(dir, "explored.json"), filepath.Join(dir, "all.json")
	must(t, os.WriteFile(explored, []byte(`{"format": "candor-coverage/1", "reached": [
		{"step": "duty/NEVER_HELD->HELD:campaign", "by": "tenures", "path": ["a campaigns", "decided"]},
		{"step": "duty/RELEASED->HELD:reattach", "by": "tenures", "path": ["a campaigns", "decided", "a releases", "a comes back"]}]}`), 0o600))
	var out, errs bytes.Buffer
	f := &cli.Factory{Out: &out, Err: &errs, Version: "v0", Flags: &cli.Flags{}, Getenv: func(string) string { return "" }, Now: time.Now}
	if code := cli.Run(t.Context(), f, []string{"verify", "coverage", explored, "--sim", "3", "--seed", "7", "--merge", all, "-o", "json"}); code != candor.ExitDone {
		t.Fatalf("exit %d\n%s", code, errs.String())
	}
	var told coverage.Summary
	must(t, json.Unmarshal(out.Bytes(), &told))
	duty := told.Lifecycles[0]
	if duty.Lifecycle != "duty" || duty.Reached != 2 || duty.Any == 0 || duty.Any != duty.Seen[coverage.Simulation] || !duty.Explored || told.Lifecycles[1].Explored {
		t.Errorf("of duties: %+v", duty)
	}
	file, err := os.Open(all)
	must(t, err)
	defer func() { must(t, file.Close()) }()
	c, err := coverage.Read(file)
	must(t, err)
	if written := c.Summary(); written.Observations != told.Observations || written.Unknown() != told.Unknown() {
		t.Errorf("the file says %d observations and %d unknown, the command %d and %d", written.Observations, written.Unknown(), told.Observations, told.Unknown())
	}
}
