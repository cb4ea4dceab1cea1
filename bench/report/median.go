// Package report turns the rounds of an experiment into rows: the median of each
// side, its spread, the ratio between the two, and whether what was promised was
// reached.
//
// It guarantees that a number in a row was measured, and that what is not known
// is absent and not zero. It refuses to judge a target by noisy or failed rounds.
// The command prints and writes what it builds.
package report

import "slices"

// Range is the least and the greatest of some values.
type Range [2]float64

// median is the middle of the values, or the mean of the middle two; false of
// none.
func median(values []float64) (float64, bool) {
	if len(values) == 0 {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half], true
	}
	return (sorted[half-1] + sorted[half]) / 2, true
}

// spread is nil of no values.
func spread(values []float64) *Range {
	if len(values) == 0 {
		return nil
	}
	return &Range{slices.Min(values), slices.Max(values)}
}
