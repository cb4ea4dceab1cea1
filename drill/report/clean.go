package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// longest text of the cluster that is shown whole; report.json has all of it.
const longest = 1200

// clean makes text from the cluster safe to show: what does not show itself (escape
// sequences, marks that turn the direction of writing) is spelt out, so that it
// cannot act on a terminal or make a line read as another one.
func clean(s string) string {
	plain := true
	for _, r := range s {
		if !shows(r) {
			plain = false
			break
		}
	}
	if plain && len(s) <= longest {
		return s
	}
	var out strings.Builder
	n := 0
	for i, r := range s {
		if n++; n > longest {
			fmt.Fprintf(&out, "… (%d more bytes)", len(s)-i)
			break
		}
		switch {
		case shows(r):
			out.WriteRune(r)
		case r == '\n' || r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029':
			out.WriteByte(' ')
		case r < utf8.RuneSelf:
			fmt.Fprintf(&out, `\x%02x`, r)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.String()
}

// shows says whether a rune is seen as itself. The joiner is: it makes one sign of
// several.
func shows(r rune) bool { return unicode.IsGraphic(r) || r == '\u200d' }

// short prints a duration in three digits: 412ms, 1.2s, 2m05s.
func short(d time.Duration) string {
	if d < 0 {
		return "-" + short(-d)
	}
	switch {
	case d == 0:
		return "0"
	case d < time.Microsecond:
		return strconv.FormatInt(int64(d), 10) + "ns"
	case d < time.Millisecond:
		return digits(d, time.Microsecond) + "µs"
	case d < time.Second:
		return digits(d, time.Millisecond) + "ms"
	case d < time.Minute:
		return digits(d, time.Second) + "s"
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	default:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
}

// digits prints d in units with three digits, rounded down, without zeros that say
// nothing.
func digits(d, unit time.Duration) string {
	whole := int64(d / unit)
	rest := int64(d % unit)
	var s string
	switch {
	case whole >= 100:
		return strconv.FormatInt(whole, 10)
	case whole >= 10:
		s = fmt.Sprintf("%d.%d", whole, rest*10/int64(unit))
	default:
		s = fmt.Sprintf("%d.%02d", whole, rest*100/int64(unit))
	}
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// moment prints a time on the axis: seconds with milliseconds.
func moment(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	ms := int64(d / time.Millisecond)
	return fmt.Sprintf("%s%d.%03ds", sign, ms/1000, ms%1000)
}

// count prints a number in groups of three.
func count[N int | int64 | uint64](n N) string {
	s := fmt.Sprint(n)
	start := 0
	if strings.HasPrefix(s, "-") {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural is the number and the word, in its form for that many.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// size prints bytes.
func size(n int64) string {
	switch {
	case n < 1<<10:
		return count(n) + " B"
	case n < 10<<20:
		return count((n+512)>>10) + " KiB"
	default:
		return count((n+1<<19)>>20) + " MiB"
	}
}
