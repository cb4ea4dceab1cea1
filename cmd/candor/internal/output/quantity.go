package output

import (
	"fmt"
	"strconv"
	"time"
)

// Age is how long ago t was, in one or two units: "5s", "3m", "7h12m", "4d".
// A time that is not known is "", one that is still to come "0s": wall clocks
// differ, and an age is for people.
func Age(now, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	d := now.Sub(t)
	const day = 24 * time.Hour
	switch {
	case d < 0:
		return "0s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 10*time.Hour && d%time.Hour >= time.Minute:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	case d < 2*day:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/day)
}

// Span is a measured duration, rounded up so that a bound stays a bound:
// "40 ms", "1.3 s", "2 m 5 s".
func Span(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", ceil(d, time.Microsecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", ceil(d, time.Millisecond))
	case d < 10*time.Second:
		tenths := ceil(d, 100*time.Millisecond)
		return fmt.Sprintf("%d.%d s", tenths/10, tenths%10)
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", ceil(d, time.Second))
	}
	s := ceil(d, time.Second)
	return fmt.Sprintf("%d m %d s", s/60, s%60)
}

func ceil(d, unit time.Duration) int64 {
	return int64((d + unit - 1) / unit)
}

// Bytes is a size in binary units: "512 B", "4.0 GiB".
func Bytes(n uint64) string {
	if n < 1024 {
		return strconv.FormatUint(n, 10) + " B"
	}
	size, units := float64(n), "KMGTPE"
	for i := range units {
		size /= 1024
		if size < 1024 || i == len(units)-1 {
			return fmt.Sprintf("%.1f %ciB", size, units[i])
		}
	}
	return ""
}

// Count is a number with its thousands apart: "1,000,000".
func Count(n uint64) string {
	text := strconv.FormatUint(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
