package meter

import (
	"math"
	"testing"
	"time"

	"github.com/candor-plane/candor/bench/process"
)

func TestOthersAreWhatNobodyOfTheBenchmarkSpent(t *testing.T) {
	zero := time.Unix(1000, 0)
	look := func(at, idle, subject, rest, self, reaped, kernel time.Duration) Look {
		return Look{
			machine: process.Machine{At: zero.Add(at), Idle: idle, Cores: 2},
			subject: subject, rest: rest, self: self, reaped: reaped, kernel: kernel,
		}
	}
	const s = time.Second
	earlier := look(0, 100*s, 10*s, 5*s, 3*s, 2*s, 7*s)
	for _, c := range []struct {
		name  string
		later Look
		other float64
	}{
		{"all of it is ours", look(10*s, 108*s, 16*s, 7*s, 5*s, 3*s, 8*s), 0},
		{"three of twenty core-seconds are not", look(10*s, 105*s, 16*s, 7*s, 5*s, 3*s, 8*s), 0.15},
		{"a killed member's time moves to the reaped", look(10*s, 108*s, 4*s, 7*s, 5*s, 15*s, 8*s), 0},
		{"ticks may count us twice, others never below nothing", look(10*s, 109*s, 16*s, 7*s, 5*s, 3*s, 8*s), 0},
		{"an idle machine", look(10*s, 120*s, 10*s, 5*s, 3*s, 2*s, 7*s), 0},
		{"others alone", look(10*s, 100*s, 10*s, 5*s, 3*s, 2*s, 7*s), 1},
	} {
		span := c.later.Since(earlier)
		if math.Abs(span.Other-c.other) > 1e-9 {
			t.Errorf("%s: got %v, wanted %v", c.name, span.Other, c.other)
		}
		if span.Elapsed != 10*s {
			t.Errorf("%s: elapsed %v", c.name, span.Elapsed)
		}
	}
	if span := look(10*s, 105*s, 16*s, 7*s, 5*s, 3*s, 8*s).Since(earlier); span.Subject != 6*s || span.Self != 2*s {
		t.Errorf("subject %v, self %v", span.Subject, span.Self)
	}
}
