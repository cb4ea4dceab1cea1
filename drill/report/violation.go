package report

import (
	"slices"
	"strings"
	"time"

	"github.com/candor-plane/candor/verify/history"
)

// Violation is a promise that was not kept, and the fewest operations and other records
// that show it.
type Violation struct {
	Property string `json:"property"`
	Sentence string `json:"sentence"`
	// Count is how many violations of the property there are; this is the first.
	Count      int         `json:"count,omitempty"`
	Operations []Operation `json:"operations,omitempty"`
	Exhibits   []Exhibit   `json:"exhibits,omitempty"`
}

// Operation is one step of a history, for people. To is From for what is a moment.
type Operation struct {
	From time.Duration `json:"from"`
	To   time.Duration `json:"to"`
	// Who is the client, or the server, that it happened to.
	Who  string `json:"who"`
	What string `json:"what"`
}

// Exhibit is a record that is no operation, such as what a watch delivered.
type Exhibit struct {
	// Record is its kind in history.jsonl.
	Record string `json:"record"`
	// At is its moment; nil where it has none.
	At   *time.Duration `json:"at,omitempty"`
	Text string         `json:"text"`
}

// moment is when, as far as that is known.
func (e *Exhibit) moment() string {
	if e.At == nil {
		return "–"
	}
	return moment(*e.At)
}

// Violations are those that checks found, in their order. Origin is the start of the
// drill on the clock of the recording.
func Violations(checks []history.Report, origin int64) []Violation {
	var found []Violation
	for i := range checks {
		c := &checks[i]
		if c.Verdict != history.Violated {
			continue
		}
		v := Violation{Property: c.Property, Count: c.Violations}
		if c.Violation != nil {
			v.Sentence = c.Violation.Sentence
			for j := range c.Violation.Operations {
				v.Operations = append(v.Operations, operation(&c.Violation.Operations[j], origin))
			}
			for _, e := range c.Violation.Exhibits {
				v.Exhibits = append(v.Exhibits, exhibit(e, origin))
			}
		}
		found = append(found, v)
	}
	return found
}

// Flags are the moments at which the violations were complete. One of which no record
// has a moment has no flag.
func Flags(violations []Violation) []Flag {
	var flags []Flag
	for i := range violations {
		v := &violations[i]
		var moments []time.Duration
		for j := range v.Operations {
			moments = append(moments, v.Operations[j].To)
		}
		for _, e := range v.Exhibits {
			if e.At != nil {
				moments = append(moments, *e.At)
			}
		}
		if len(moments) > 0 {
			flags = append(flags, Flag{Property: v.Property, At: slices.Max(moments)})
		}
	}
	return flags
}

func exhibit(e history.Exhibit, origin int64) Exhibit {
	shown := Exhibit{Record: e.Record, Text: e.Text}
	if e.At != 0 {
		at := time.Duration(e.At - origin)
		shown.At = &at
	}
	return shown
}

func operation(o *history.Operation, origin int64) Operation {
	text := o.String()
	_, what, found := strings.Cut(text, "] "+o.Client+": ")
	if !found {
		what = text
	}
	return Operation{From: time.Duration(o.Invoke - origin), To: time.Duration(o.Return - origin), Who: o.Client, What: what}
}
