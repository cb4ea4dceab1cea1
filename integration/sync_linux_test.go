package integration

import (
	"context"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// TestALeaderWhoseDiskFailsOrHangsEndsAndTheOthersElect: raft's heartbeats go on
// without the disk, so that the process must end. It comes back as after a crash.
func TestALeaderWhoseDiskFailsOrHangsEndsAndTheOthersElect(t *testing.T) {
	for _, test := range []struct {
		name   string
		fault  syncFault
		reason candor.Reason
		names  string
	}{
		{"fails", syncFails, candor.ReasonInternal, ".wal: input/output error"},
		{"hangs", syncHangs, candor.ReasonUnavailable, "the data disk hangs"},
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
			i.set(test.fault)
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
