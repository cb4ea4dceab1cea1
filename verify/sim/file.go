package sim

import (
	"bytes"
	"encoding/json"

	"github.com/candor-plane/candor"
)

// fileFormat names the form of a schedule as a file.
const fileFormat = "candor-schedule/1"

type file struct {
	Format string `json:"format"`
	Schedule
}

// Encode is the schedule as a file: a JSON object that a person can read and cut. It
// stays what it is when what seeds draw changes.
func (s *Schedule) Encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	err := e.Encode(file{Format: fileFormat, Schedule: *s})
	return b.Bytes(), err
}

// Decode reads what Encode wrote. Otherwise the error's reason is INVALID.
func Decode(data []byte) (Schedule, error) {
	var f file
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return Schedule{}, candor.Errorf(candor.ReasonInvalid, "schedule: %w", err)
	}
	if f.Format != fileFormat {
		return Schedule{}, candor.Errorf(candor.ReasonInvalid, "schedule: format %q: want %q", f.Format, fileFormat)
	}
	return f.Schedule, f.Check()
}
