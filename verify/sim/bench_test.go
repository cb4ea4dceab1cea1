package sim

import "testing"

// BenchmarkSchedule runs one schedule after the other.
func BenchmarkSchedule(b *testing.B) {
	totals := NewTotals()
	for i := range b.N {
		r := Run(uint64(i), 0, Options{})
		if r.Failure != nil {
			b.Fatal(r.Failure)
		}
		totals.Add(&r)
	}
	b.ReportMetric(float64(totals.Turns)/b.Elapsed().Seconds(), "turns/s")
	b.ReportMetric(float64(totals.Applied)/b.Elapsed().Seconds(), "applied/s")
}
