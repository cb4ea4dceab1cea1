package servertest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/verify/coverage"
)

// cover notes what the log of a cluster that has ended shows: of the server whose log
// reaches back furthest, up to the last entry that a server is known to have applied.
// Entries that a snapshot took the place of are not seen.
func cover(t *testing.T, c *coverage.Coverage, data, name string, outcome *drill.Outcome) {
	t.Helper()
	folders, err := os.ReadDir(data)
	noError(t, err)
	var best *remains
	for _, folder := range folders {
		r, err := server.OpenRemains(filepath.Join(data, folder.Name()), hclog.NewNullLogger())
		if err != nil {
			t.Logf("%s: its log is not covered: %v", folder.Name(), err)
			continue
		}
		t.Cleanup(func() { noError(t, r.Close()) })
		if found := remainsOf(t, name, r); best == nil || found.origin.First < best.origin.First {
			best = found
		}
	}
	if best == nil {
		t.Errorf("no log of %s is left", name)
		return
	}
	for _, d := range outcome.Evidence.Digests {
		best.origin.Committed = max(best.origin.Committed, d.Index)
	}
	best.origin.Committed = min(best.origin.Committed, best.origin.Last)
	_, err = c.Replay(t.Context(), coverage.Bubble, best)
	noError(t, err)
}
