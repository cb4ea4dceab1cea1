package integration

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

const (
	// measureVariable has times judged one by one, which takes a machine on which nothing
	// else runs: make measure. Without it other tests and compilers run beside, and what
	// is judged is what that leaves: that the half of them is in time.
	measureVariable = "CANDOR_MEASURE"
	// measured is how often a measurement that is too bad is repeated.
	measured = 3
)

func measuring() bool { return os.Getenv(measureVariable) != "" }

// durations are of one kind of event.
type durations []time.Duration

func (d durations) String() string {
	sorted := slices.Sorted(slices.Values(d))
	return fmt.Sprintf("p50 %s, max %s of %d", d.median().Round(time.Millisecond), sorted[len(sorted)-1].Round(time.Millisecond), len(sorted))
}

func (d durations) median() time.Duration {
	return slices.Sorted(slices.Values(d))[len(d)/2]
}

// late are those above a limit.
func (d durations) late(limit time.Duration) (count int) {
	for _, x := range d {
		if x > limit {
			count++
		}
	}
	return count
}

// within judges a measurement that does not get better by being repeated.
func (d durations) within(limit time.Duration) bool {
	return d.late(limit) == 0 || !measuring() && d.median() <= limit
}

// wantIn wants all of one measurement within a limit, as far as the machine lets that be
// judged.
func wantIn(t *testing.T, what string, limit time.Duration, measure func() durations) {
	t.Helper()
	var d durations
	for range measured {
		d = measure()
		t.Logf("%s: %s; wanted within %s", what, d, limit)
		if d.within(limit) {
			return
		}
	}
	t.Errorf("%s: %d of %d took longer than %s: %v", what, d.late(limit), len(d), limit, []time.Duration(d))
}
