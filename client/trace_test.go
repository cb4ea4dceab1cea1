package client

import (
	"testing"

	"github.com/candor-plane/candor"
)

// TestACallThatIsNotTracedAllocatesNothingForIt, and sends nothing of a trace.
func TestACallThatIsNotTracedAllocatesNothingForIt(t *testing.T) {
	c, r, ep, ctx := new(Client), new(request), &endpoint{addr: "here"}, t.Context()
	met := candor.Errorf(candor.ReasonNotLeader, "not here")
	allocated := testing.AllocsPerRun(100, func() {
		if c.begin(ctx, r) != ctx || r.span != nil {
			t.Error("something was begun")
		}
		r.tries(ep)
		r.failed(ep, 1, met)
		r.ended(met)
	})
	if allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
}
