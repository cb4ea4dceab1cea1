package report_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor/drill/report"
)

func many() []report.Sample {
	var all []report.Sample
	for i := range 10_000 {
		p := report.Sample{At: time.Duration(i) * ms, Took: time.Duration(1+i*7919%1000) * time.Microsecond, Outcome: report.Answered}
		switch {
		case i == 777:
			p.Took = 3 * s
		case i == 5000:
			p.Took = 1
		case i%997 == 0:
			p.Outcome, p.Reason = report.Refused, "NOT_LEADER"
		case i%1999 == 0:
			p.Outcome = report.OutcomeUnknown
		}
		all = append(all, p)
	}
	return all
}

// TestThinningKeepsWhatMatters: within the bound, the extremes, the same ones whatever
// order they came in; and it counts everything.
func TestThinningKeepsWhatMatters(t *testing.T) {
	all := many()
	for _, bound := range []int{0, 1, 5, 300, 1500, 20_000} {
		series := report.NewSeries(report.Write, all, bound)
		want := bound
		if bound == 0 {
			want = report.MaxSamples
		}
		if want = min(want, len(all)); len(series.Samples) > want || len(series.Samples) < want*9/10 {
			t.Errorf("bound %d: kept %d", bound, len(series.Samples))
		}
		if series.LeftOut+len(series.Samples) != len(all) || series.Ok+series.Unknown+series.Refused != len(all) {
			t.Errorf("bound %d: %d left out and %d kept, %d ok, %d unknown, %d refused", bound, series.LeftOut, len(series.Samples), series.Ok, series.Unknown, series.Refused)
		}
		if series.Max != 3*s {
			t.Errorf("bound %d: the slowest took %s", bound, series.Max)
		}
		if bound >= 5 && !slices.ContainsFunc(series.Samples, func(p report.Sample) bool { return p.Took == 3*s }) {
			t.Errorf("bound %d: the slowest is gone", bound)
		}
		if bound >= 300 && !slices.ContainsFunc(series.Samples, func(p report.Sample) bool { return p.Took == 1 }) {
			t.Errorf("bound %d: the fastest is gone", bound)
		}
		turned := slices.Clone(all)
		slices.Reverse(turned)
		if diff := cmp.Diff(series, report.NewSeries(report.Write, turned, bound)); diff != "" {
			t.Errorf("bound %d: another order keeps others: %s", bound, diff)
		}
	}
	if diff := cmp.Diff(many(), all); diff != "" {
		t.Errorf("the caller's samples changed: %s", diff)
	}
}

func TestPercentilesAreByNearestRank(t *testing.T) {
	var all []report.Sample
	for i := range 200 {
		all = append(all, report.Sample{Took: time.Duration(200-i) * ms, Outcome: report.Answered})
	}
	got := report.NewSeries(report.Strong, all, 0)
	if got.P50 != 100*ms || got.P99 != 198*ms || got.Max != 200*ms {
		t.Errorf("p50 %s, p99 %s, max %s", got.P50, got.P99, got.Max)
	}
	if none := report.NewSeries(report.Strong, nil, 0); none.P50 != 0 || none.Max != 0 || none.LeftOut != 0 {
		t.Errorf("of nothing: %+v", none)
	}
}
