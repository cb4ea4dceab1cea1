// Package heap sets how much garbage the server's process lets gather before it
// collects.
//
// The runtime's default lets the heap double. That is too eager for a small
// heap, where half of the cycles find next to nothing, and too generous for a
// large one, which would hold the state twice. Here the room for garbage is the
// live heap's own size, within limits. Command candor calls it once; it is safe
// for concurrent use.
package heap

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	leastRoom = 64 << 20
	mostRoom  = 384 << 20
	// leastShare of a large heap: with less, collecting would cost more than it
	// frees.
	leastShare = 4
)

// room is how many bytes of garbage may gather beside so many live ones.
func room(live uint64) uint64 {
	return max(min(max(live, leastRoom), mostRoom), live/leastShare)
}

// percent is room as the runtime wants it, which counts stacks and globals as
// live too.
func percent(live, roots uint64) int {
	base := max(live+roots, 1<<20)
	return int(room(live) * 100 / base)
}

// Pace adjusts the garbage collector after each of its cycles, for as long as
// the process runs.
func Pace() {
	adjust()
	rearm()
}

// sentinel is garbage from its birth on: its cleanup runs after each cycle.
type sentinel struct{ _ *byte }

func rearm() {
	runtime.AddCleanup(new(sentinel), func(struct{}) {
		adjust()
		rearm()
	}, struct{}{})
}

func adjust() {
	samples := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"},
	}
	metrics.Read(samples)
	var read [3]uint64
	for i, s := range samples {
		if s.Value.Kind() == metrics.KindUint64 {
			read[i] = s.Value.Uint64()
		}
	}
	debug.SetGCPercent(percent(read[0], read[1]+read[2]))
}
