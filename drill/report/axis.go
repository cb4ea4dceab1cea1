package report

import (
	"strconv"
	"time"
)

// The charts share one axis: a column of names of labelWidth, then chartWidth for the
// time of the drill.
const (
	labelWidth = 132
	chartWidth = 960
)

// axis is time from 0 to end, over the width of a chart.
type axis struct{ end time.Duration }

// x is where a moment is.
func (a axis) x(at time.Duration) float64 {
	at = min(max(at, 0), a.end)
	return float64(at) / float64(a.end) * chartWidth
}

// tick is a moment that is named below a chart.
type tick struct {
	at   time.Duration
	text string
}

// ticks are at most ten round moments.
func (a axis) ticks() []tick {
	step := time.Millisecond
	for i := 0; a.end/step > 9; i++ {
		step = nextStep(step, i)
	}
	var all []tick
	for at := time.Duration(0); at <= a.end; at += step {
		all = append(all, tick{at, tickText(at, step)})
	}
	return all
}

// nextStep goes from 1 ms over 2, 5, 10 to 10 s, then over what minutes are made of.
func nextStep(step time.Duration, i int) time.Duration {
	switch {
	case step >= time.Minute:
		return step * 2
	case step == 10*time.Second:
		return 30 * time.Second
	case step == 30*time.Second:
		return time.Minute
	case i%3 == 1:
		return step * 5 / 2
	default:
		return step * 2
	}
}

func tickText(at, step time.Duration) string {
	switch {
	case step >= 10*time.Second && at >= time.Minute:
		return strconv.FormatInt(int64(at/time.Minute), 10) + "m" + pad(int64(at%time.Minute/time.Second))
	case step < 10*time.Millisecond:
		return short(at)
	case step >= time.Second || at == 0:
		return strconv.FormatInt(int64(at/time.Second), 10) + "s"
	default:
		return digits(at, time.Second) + "s"
	}
}

func pad(seconds int64) string {
	if seconds == 0 {
		return ""
	}
	if seconds < 10 {
		return "0" + strconv.FormatInt(seconds, 10) + "s"
	}
	return strconv.FormatInt(seconds, 10) + "s"
}
