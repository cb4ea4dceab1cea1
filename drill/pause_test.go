package drill

import (
	"testing"
	"time"

	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/verify/history"
)

// TestAPauseIsTheLongestWaitForAWriteThatAFaultHadAPartIn.
func TestAPauseIsTheLongestWaitForAWriteThatAFaultHadAPartIn(t *testing.T) {
	h, err := history.New([]history.Operation{
		put(0, 100, history.OutcomeOK), put(100, 3000, history.OutcomeOK), // before the fault
		put(3000, 3100, history.OutcomeOK), put(3100, 3900, history.OutcomeOK), put(3900, 4000, history.OutcomeUnknown),
		put(3950, 5200, history.OutcomeOK), put(5200, 5300, history.OutcomeOK), put(5300, 9000, history.OutcomeOK),
	})
	if err != nil {
		t.Fatal(err)
	}
	bands := []report.Band{{From: 3500 * ms, To: 4100 * ms}, {From: 20 * time.Second, To: 21 * time.Second}}
	pauses(h, bands, []report.NodeLane{{Node: "n1", Intervals: []report.Interval{{From: 0, To: 4000 * ms, State: report.Leader}}}})
	if bands[0].Pause != 1300*ms || bands[0].Leader != "n1" {
		t.Errorf("%+v", bands[0])
	}
	if bands[1].Pause != 0 || bands[1].Leader != "" {
		t.Errorf("a fault when nobody wrote: %+v", bands[1])
	}
}
