package report

import (
	"testing"
	"time"
)

func TestAnAxisHasAFewRoundMoments(t *testing.T) {
	for _, end := range []time.Duration{
		time.Millisecond, 3 * time.Millisecond, 70 * time.Millisecond, 999 * time.Millisecond, time.Second, 24 * time.Second,
		59 * time.Second, 61 * time.Second, 10 * time.Minute, 3 * time.Hour, 400 * 24 * time.Hour,
	} {
		a := axis{end}
		ticks := a.ticks()
		if len(ticks) < 2 || len(ticks) > 11 {
			t.Errorf("%s: %d ticks", end, len(ticks))
		}
		said := map[string]bool{}
		for _, tick := range ticks {
			if x := a.x(tick.at); x < 0 || x > chartWidth {
				t.Errorf("%s: %s is at %f", end, tick.text, x)
			}
			if said[tick.text] {
				t.Errorf("%s: two ticks are called %s", end, tick.text)
			}
			said[tick.text] = true
		}
	}
	a := axis{time.Second}
	if a.x(-time.Second) != 0 || a.x(time.Hour) != chartWidth {
		t.Error("what is outside of the axis is not at its ends")
	}
}

func TestTimesAndSizesAreShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0", 7: "7ns", 1500: "1.5µs", 376 * time.Microsecond: "376µs", 4570 * time.Microsecond: "4.57ms", 12_300 * time.Microsecond: "12.3ms", 912 * time.Millisecond: "912ms",
		1200 * time.Millisecond: "1.2s", 59_999 * time.Millisecond: "59.9s", 125 * time.Second: "2m05s", 90 * time.Minute: "1h30m", -time.Second: "-1s",
	} {
		if got := short(d); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
	if got := moment(-1500 * time.Millisecond); got != "-1.500s" {
		t.Error(got)
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1,023 B", 1 << 10: "1 KiB", 48211: "47 KiB", 20 << 20: "20 MiB"} {
		if got := size(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	for n, want := range map[int]string{0: "0", 999: "999", -1000: "-1,000", 1234567: "1,234,567"} {
		if got := count(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestWhatAGapWaitedOnFillsIt(t *testing.T) {
	gap := Gap{From: time.Second, To: 3 * time.Second, Waited: []Wait{{Detection, 500 * time.Millisecond}, {"luck", time.Second}, {Election, time.Hour}, {Watchdog, -1}}}
	if got, want := waits(&gap), "detection 500ms, unknown 1s, election 500ms"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, w := range [][]Wait{nil, {{Detection, time.Second}}, {{Detection, time.Hour}}} {
		sum := time.Duration(0)
		gap.Waited = w
		for _, p := range gap.parts() {
			sum += p.For
		}
		if sum != gap.Took() {
			t.Errorf("%v: the parts take %s of %s", w, sum, gap.Took())
		}
	}
}
