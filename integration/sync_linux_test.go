package integration

import (
	"context"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill/stage/disk"
)

// TestALeaderWhoseDiskFailsOrHangsEndsAndTheOthersElect: raft's heartbeats go on
// without the disk, so that the process must end. It comes back as after a crash.
func TestALeaderWhoseDiskFailsOrHangsEndsAndTheOthersElect(t *testing.T) {
	for _, test := range []struct {
		name   string
		fault  disk.Manner
		reason candor.Reason
		names  string
	}{
		{"fails", disk.Fail, candor.ReasonDiskFailed, ".wal: input/output error"},
		{"hangs", disk.Hang, candor.ReasonDiskFailed, "the data disk hangs"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
			defer cancel()
			c := plan(t, 3, "--watchdog", "1s")
			p := c.servers[0]
			i := intercept(t, p)
			for _, other := range c.servers[1:] {
				other.begin(t)
			}
			k := c.client()
			c.lead(ctx, k, p)
			w := c.write(ctx, 4)
			w.goOn(ctx, t, 50)
			i.Set(test.fault, 0)
			p.endsWith(t, test.reason, test.names)
			w.goOn(ctx, t, 50)
			p.begin(t)
			c.answers(ctx, k, p)
			status, err := k.Cluster().Status(ctx, client.OnEndpoint(p.api))
			if err != nil || status.RestartState != candor.RestartCatchUp {
				t.Errorf("restart state %s (%s), %v; want %s", status.RestartState, status.RestartReason, err, candor.RestartCatchUp)
			}
			acked := w.end()
			c.holds(ctx, k, acked)
			c.sameDigests(ctx, k, c.servers...)
		})
	}
}
