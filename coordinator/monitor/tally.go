package monitor

import (
	"maps"
	"slices"

	"github.com/candor-plane/candor"
)

// tally are amounts by resource. Sums of valid objects stay far below overflow: the turn
// that places refuses what would not.
type tally map[string]int64

func (t tally) add(r candor.Resources, times int64) {
	for _, a := range r {
		t[a.Name] += times * a.Value
	}
}

// exceeds names the first resource of which there is more than the capacity.
func (t tally) exceeds(capacity candor.Resources) (name string, over bool) {
	for _, name := range slices.Sorted(maps.Keys(t)) {
		if t[name] > capacity.Get(name) {
			return name, true
		}
	}
	return "", false
}
