package sim

import (
	"context"
	"sync"
	"sync/atomic"
)

// Totals are what the runs of many seeds came to.
type Totals struct {
	Schedules int `json:"schedules"`
	Choices   int `json:"choices"`
	Entries   int `json:"entries"`
	// Turns are the root's, Applied those of all replicas and replays.
	Turns   int `json:"turns"`
	Applied int `json:"applied"`
	Events  int `json:"events"`
	// Faults counts those that had an effect, FaultSchedules the schedules with any of
	// them.
	Faults         map[Do]int     `json:"faults"`
	FaultSchedules map[Do]int     `json:"faultSchedules"`
	Checked        map[string]int `json:"checked"`
	// Failed counts the schedules that failed.
	Failed int `json:"failed"`
}

// NewTotals are those of nothing.
func NewTotals() Totals {
	return Totals{Faults: map[Do]int{}, FaultSchedules: map[Do]int{}, Checked: map[string]int{}}
}

// Add counts a run.
func (t *Totals) Add(r *Result) {
	t.Schedules++
	t.Choices += r.Choices
	t.Entries += r.Entries
	t.Turns += r.Turns
	t.Applied += r.Applied
	t.Events += r.Events
	for fault, n := range r.Faults {
		t.Faults[fault] += n
		t.FaultSchedules[fault]++
	}
	for check, n := range r.Checked {
		t.Checked[check] += n
	}
	if r.Failure != nil {
		t.Failed++
	}
}

// Sweep runs the schedules of the seeds from first to last, both included, on so many
// goroutines at once, until the context ends. done is told of each, by one goroutine at
// a time, in no order; once it says no, no further schedule begins. Sweep returns when
// all of its goroutines have ended.
func Sweep(ctx context.Context, first, last uint64, steps, workers int, o Options, done func(Result) bool) {
	var next atomic.Uint64
	var mu sync.Mutex
	var all sync.WaitGroup
	stopped := false
	for range max(1, workers) {
		all.Go(func() {
			for ctx.Err() == nil {
				n := next.Add(1) - 1
				if n > last-first {
					return
				}
				result := Run(first+n, steps, o)
				mu.Lock()
				stopped = stopped || !done(result)
				end := stopped
				mu.Unlock()
				if end {
					return
				}
			}
		})
	}
	all.Wait()
}
