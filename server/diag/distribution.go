package diag

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// Distribution counts values by how large they are.
type Distribution struct {
	// Bounds are ascending; Counts[i] are the values at or below Bounds[i] and above the
	// bound before, and the last of Counts, which has one more, those above all bounds.
	Bounds []float64
	Counts []uint64
	Sum    float64
}

// NewDistribution has no values.
func NewDistribution(bounds []float64) *Distribution {
	return &Distribution{Bounds: bounds, Counts: make([]uint64, len(bounds)+1)}
}

// Observe counts a value. Callers take turns.
func (d *Distribution) Observe(value float64) {
	at, _ := slices.BinarySearch(d.Bounds, value)
	d.Counts[at]++
	d.Sum += value
}

// Clone shares nothing that changes.
func (d *Distribution) Clone() *Distribution {
	return &Distribution{Bounds: d.Bounds, Counts: slices.Clone(d.Counts), Sum: d.Sum}
}

// sample is the distribution as Prometheus takes it: counts of all up to each bound.
func (d *Distribution) sample(desc *prometheus.Desc, labels []string) prometheus.Metric {
	total, upTo := uint64(0), make(map[float64]uint64, len(d.Bounds))
	for i, n := range d.Counts {
		total += n
		if i < len(d.Bounds) {
			upTo[d.Bounds[i]] = total
		}
	}
	return prometheus.MustNewConstHistogram(desc, total, d.Sum, upTo, labels...)
}
