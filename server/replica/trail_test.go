package replica

import (
	"testing"

	"github.com/candor-plane/candor/fsm"
)

// TestAProposalThatIsNotTracedAllocatesNothingForIt.
func TestAProposalThatIsNotTracedAllocatesNothingForIt(t *testing.T) {
	var all trails
	ctx, batch, result := t.Context(), []*pending{{}}, fsm.Result{}
	allocated := testing.AllocsPerRun(100, func() {
		one := all.begin(ctx)
		one.queued()
		one.taken()
		entry := all.enter(batch, 1, 1)
		entry.left()
		all.arrive(entry, batch, nil, nil)
		one.end(&result, nil)
		if one != nil || entry != nil {
			t.Error("something was noted")
		}
	})
	if allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
}
