package server

import "testing"

// TestAServerThatTracesNothingHasNoInterceptorForIt, and no metric.
func TestAServerThatTracesNothingHasNoInterceptorForIt(t *testing.T) {
	s := &Server{}
	if options := s.tracing(); len(options) != 0 {
		t.Errorf("%d options", len(options))
	}
	s.config.Tracing.collect(func(name, _ string, _ float64, _ ...string) { t.Errorf("metric %s", name) })
}

// TestSpansAreCountedByWhatBecameOfThem.
func TestSpansAreCountedByWhatBecameOfThem(t *testing.T) {
	traced := Tracing{Counts: func() (delivered, dropped, failed uint64) { return 1, 2, 3 }}
	got := map[string]float64{}
	traced.collect(func(name, _ string, value float64, labels ...string) { got[name+" "+labels[1]] = value })
	for name, want := range map[string]float64{"trace_spans_total delivered": 1, "trace_spans_total dropped": 2, "trace_spans_total failed": 3} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
}
