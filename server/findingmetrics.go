package server

import (
	"sync"

	"github.com/candor-plane/candor/coordinator/monitor"
)

// verifying counts what the duty verify did here, over all grants.
type verifying struct {
	mu    sync.Mutex
	past  monitor.Stats
	stats func() monitor.Stats // nil while the duty is not held here
}

func (v *verifying) begin(stats func() monitor.Stats) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stats = stats
}

func (v *verifying) end() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.past = v.sum()
	v.past.Claims, v.past.Broken, v.past.Unreadable = 0, 0, 0
	v.stats = nil
}

func (v *verifying) total() monitor.Stats {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.sum()
}

// sum is of all grants, with the last look of the present one.
func (v *verifying) sum() monitor.Stats {
	out := v.past
	if v.stats == nil {
		return out
	}
	now := v.stats()
	out.Looks += now.Looks
	out.Looking += now.Looking
	out.Same += now.Same
	out.Different += now.Different
	out.Unavailable += now.Unavailable
	out.Failed += now.Failed
	out.Claims, out.Broken, out.Unreadable = now.Claims, now.Broken, now.Unreadable
	return out
}

// findingMetrics tell which promises are not kept, and how the verifier goes about it.
func (s *Server) findingMetrics(gauge, counter func(name, help string, value float64, labels ...string)) {
	if all, err := findingsIn(s.machine.View()); err == nil {
		open := map[string]int{}
		for i := range all {
			if f := &all[i].Status; f.Open {
				open[f.Promise]++
			}
		}
		for promise, n := range open {
			gauge("findings_open", "Promises that are not kept, by this server's view.", float64(n), "promise", promise)
		}
	}
	v := s.verifying.total()
	counter("verify_looks_total", "Looks at every promise by this server.", float64(v.Looks))
	counter("verify_looking_seconds_total", "Time that the looks took.", v.Looking.Seconds())
	gauge("verify_claims", "What the last look of this server found not to be as it is to be, within its bounds or not.", float64(v.Claims))
	gauge("verify_unreadable", "Objects that the last look of this server could not read.", float64(v.Unreadable))
	counter("verify_write_failures_total", "Findings that were not written, and tried again.", float64(v.Failed))
	const help = "Decisions that were taken again by this server, by what came of it."
	counter("decision_replays_total", help, float64(v.Same), "result", "same")
	counter("decision_replays_total", help, float64(v.Different), "result", "different")
	counter("decision_replays_total", help, float64(v.Unavailable), "result", "unavailable")
}
