package replica

import (
	"math"
	"testing"
	"testing/synctest"
	"time"
)

func TestLoadIsThePartOfTheTimeThatWasWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l load
		near := func(want float64, when string) {
			t.Helper()
			if got := l.lately(); math.Abs(got-want) > 0.01 {
				t.Errorf("%s: load %.3f, want %.2f", when, got, want)
			}
		}
		near(0, "before any work")
		for range 20000 {
			done := l.begin()
			time.Sleep(time.Millisecond)
			done()
			time.Sleep(3 * time.Millisecond)
		}
		near(0.25, "a quarter of the time at work")
		time.Sleep(loadWindow)
		near(0.25/math.E, "idle for the window")
		done := l.begin()
		time.Sleep(10 * loadWindow)
		near(1, "work that does not end")
		done()
		time.Sleep(10 * loadWindow)
		near(0, "long idle")
	})
}

func BenchmarkLoadOfOnePieceOfWork(b *testing.B) {
	var l load
	for b.Loop() {
		l.begin()()
	}
}
