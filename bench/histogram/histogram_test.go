package histogram_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/candor-plane/candor/bench/histogram"
)

func TestQuantileStaysWithinOneBucketOfTheSortedAnswer(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, scale := range []time.Duration{100, time.Microsecond, time.Millisecond, time.Second} {
		var h histogram.Histogram
		all := make([]time.Duration, 20_000)
		for i := range all {
			all[i] = time.Duration(random.ExpFloat64() * float64(scale))
			h.Record(all[i])
		}
		slices.Sort(all)
		for _, q := range []float64{0, 0.01, 0.5, 0.9, 0.99, 0.999, 1} {
			exact := all[max(int(q*float64(len(all)))-1, 0)]
			got := h.Quantile(q)
			if miss := (got - exact).Abs(); miss > exact/64+1 {
				t.Errorf("scale %v, quantile %v: got %v, exact %v", scale, q, got, exact)
			}
		}
	}
}

func TestMergeEqualsRecordingEverythingInOne(t *testing.T) {
	var left, right, whole histogram.Histogram
	for i := range 5_000 {
		d := time.Duration(i*i) * time.Microsecond
		whole.Record(d)
		if i%3 == 0 {
			left.Record(d)
			continue
		}
		right.Record(d)
	}
	var merged histogram.Histogram
	merged.Merge(&right)
	merged.Merge(&left)
	merged.Merge(&histogram.Histogram{})
	if merged != whole {
		t.Fatal("merged parts differ from the whole")
	}
}

func TestExtremesAreExactAndOutOfRangeIsClamped(t *testing.T) {
	var h histogram.Histogram
	if h.Quantile(0.5) != 0 || h.Max() != 0 || h.Count() != 0 {
		t.Fatal("an empty histogram answers something other than zero")
	}
	h.Record(-time.Second)
	h.Record(24 * time.Hour)
	h.Record(1_234_567)
	if got := h.Quantile(0); got != 0 {
		t.Errorf("least: got %v", got)
	}
	if got := h.Max(); got != 24*time.Hour {
		t.Errorf("most: got %v", got)
	}
	if got := h.Quantile(1); got != 24*time.Hour {
		t.Errorf("quantile 1: got %v", got)
	}
	if h.Count() != 3 {
		t.Errorf("count: got %d", h.Count())
	}
}

func BenchmarkRecord(b *testing.B) {
	var h histogram.Histogram
	for i := range b.N {
		h.Record(time.Duration(i) * time.Microsecond)
	}
}
