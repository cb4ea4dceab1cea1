package drill

import (
	"cmp"
	"slices"
	"time"

	"github.com/candor-plane/candor/drill/scenario"
)

// occurrence is one time of a fault.
type occurrence struct {
	fault *scenario.Fault
	at    time.Duration
}

// lasts is how long the fault is there; 0 for what is done in a moment.
func (o occurrence) lasts() time.Duration { return time.Duration(o.fault.For) }

// timetable is every time of every fault of a scenario, in their order.
func timetable(s *scenario.Scenario) []occurrence {
	var all []occurrence
	for i := range s.Faults {
		f := &s.Faults[i]
		for n := range max(1, f.Times) {
			all = append(all, occurrence{f, time.Duration(f.At) + time.Duration(n)*time.Duration(f.Every)})
		}
	}
	slices.SortStableFunc(all, func(a, b occurrence) int { return cmp.Compare(a.at, b.at) })
	return all
}
