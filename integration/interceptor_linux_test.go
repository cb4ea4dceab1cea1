package integration

import (
	"slices"
	"testing"

	"github.com/candor-plane/candor/drill/stage/disk"
	drilled "github.com/candor-plane/candor/drill/stage/process"
)

// intercept begins the server with its syncs asked about, or skips the test where the
// kernel does not ask. Later runs of it are not.
func intercept(t *testing.T, p *process) *disk.Syncs {
	t.Helper()
	syncs, before := disk.NewSyncs(), p.watches
	p.watches = append(slices.Clip(before), drilled.Watch{Numbers: disk.SyncCalls(), Decide: syncs.Decide, Gone: syncs.Forget})
	p.begin(t)
	p.watches = before
	return syncs
}
