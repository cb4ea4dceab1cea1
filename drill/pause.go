package drill

import (
	"slices"
	"time"

	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/drill/workload"
	"github.com/candor-plane/candor/verify/history"
)

// after is how long after its end a fault is held accountable for what writes wait.
const after = time.Second

// pauses tells of each fault how long writes waited at most while it lasted: the
// longest time from one acknowledged write to the next that has a part in it. A fault
// in whose time nobody wrote has none.
func pauses(h *history.History, bands []report.Band, leaders []report.NodeLane) {
	var acks []time.Duration
	for o := range h.All() {
		if classOf(o) == report.Write && o.Outcome == history.OutcomeOK && !workload.Compared(o) {
			acks = append(acks, time.Duration(o.Return))
		}
	}
	slices.Sort(acks)
	for i := range bands {
		b := &bands[i]
		from, to := b.From, max(b.To, b.From)+after
		first, _ := slices.BinarySearch(acks, from)
		for j := max(first, 1); j < len(acks) && acks[j-1] <= to; j++ {
			b.Pause = max(b.Pause, acks[j]-acks[j-1])
		}
		// What a look saw last may be as old as a look.
		b.Leader = leaderAt(leaders, max(0, b.From-look))
	}
}
