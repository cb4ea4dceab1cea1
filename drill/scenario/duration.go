package scenario

import "time"

// Duration is written as in Go: "1.5s".
type Duration time.Duration

// String is the time as Go writes it.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes what UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads a time that is not negative; of a clock's offset the sign
// counts, so that is checked where it is used.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}
