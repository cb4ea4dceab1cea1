package experiment

import (
	"testing"
	"time"
)

func TestTheLongestGapCountsFromTheLastAcknowledgementBeforeTheKill(t *testing.T) {
	zero := time.Unix(1000, 0)
	at := func(ms ...int) []time.Time {
		times := make([]time.Time, len(ms))
		for i, m := range ms {
			times[i] = zero.Add(time.Duration(m) * time.Millisecond)
		}
		return times
	}
	for _, c := range []struct {
		name          string
		acks          []time.Time
		killed, now   int
		longest, open int64
	}{
		{"a gap over the kill", at(0, 90, 700, 710), 100, 715, 610, 5},
		{"gaps before the kill do not count", at(0, 900, 950, 1000), 920, 1001, 50, 1},
		{"the second gap may be the longer", at(99, 300, 900, 905), 100, 910, 600, 5},
		{"unordered as the writers noted them", at(710, 0, 700, 90), 100, 715, 610, 5},
		{"still open", at(0, 90), 100, 2090, 2000, 2000},
		{"no acknowledgement at all", nil, 100, 350, 250, 250},
	} {
		longest, open := longestGap(c.acks, at(c.killed)[0], at(c.now)[0])
		if longest.Milliseconds() != c.longest || open.Milliseconds() != c.open {
			t.Errorf("%s: longest %v, open %v; wanted %d ms, %d ms", c.name, longest, open, c.longest, c.open)
		}
	}
}
