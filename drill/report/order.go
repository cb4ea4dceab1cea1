package report

import (
	"cmp"
	"maps"
	"slices"
)

var classes = []Class{Write, Strong, Bounded, BestEffort}

func byClass(a, b Class) int {
	return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a, b))
}

// place is where a class stands; those without a place are last.
func place(c Class) int {
	if i := slices.Index(classes, c); i >= 0 {
		return i
	}
	return len(classes)
}

// series and gaps are in the order of the classes.
func (r *Report) series() []Series {
	return slices.SortedStableFunc(slices.Values(r.Latency), func(a, b Series) int { return byClass(a.Class, b.Class) })
}

func (r *Report) gaps() []Gaps {
	return slices.SortedStableFunc(slices.Values(r.Gaps), func(a, b Gaps) int { return byClass(a.Class, b.Class) })
}

// sorted are the keys of a map in order.
func sorted[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
