package diag

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A bound counts among the values up to it, as Prometheus has it, and what is above
// every bound is counted too.
func TestADistributionIsShownAsAHistogram(t *testing.T) {
	d := NewDistribution([]float64{0.5, 2})
	for _, value := range []float64{0.25, 0.5, 1, 3} {
		d.Observe(value)
	}
	before := d.Clone()
	d.Observe(1)
	if diff := cmp.Diff([]uint64{2, 1, 1}, before.Counts); diff != "" || before.Sum != 4.75 {
		t.Errorf("sum %v, counts (-want +got):\n%s", before.Sum, diff)
	}
	w := httptest.NewRecorder()
	handler(&told{metrics: []Metric{{Name: "latency_seconds", Help: "h", Distribution: before, Labels: []string{"kind", "a"}}}}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	var got []string
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "candor_") || strings.HasPrefix(line, "# TYPE candor_") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	want := []string{
		"# TYPE candor_latency_seconds histogram",
		`candor_latency_seconds_bucket{kind="a",le="0.5"} 2`, `candor_latency_seconds_bucket{kind="a",le="2"} 3`, `candor_latency_seconds_bucket{kind="a",le="+Inf"} 4`,
		`candor_latency_seconds_sum{kind="a"} 4.75`, `candor_latency_seconds_count{kind="a"} 4`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// told emits what it holds.
type told struct {
	fixed
	metrics []Metric
}

func (x *told) Collect(emit func(Metric)) {
	for _, m := range x.metrics {
		emit(m)
	}
}
