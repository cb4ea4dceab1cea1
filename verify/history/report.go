package history

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Verdict is what a check says. The zero value is no verdict.
type Verdict string

// The verdicts. Inconclusive: no violation was found, in too little to say so.
const (
	Pass         Verdict = "PASS"
	Violated     Verdict = "VIOLATION"
	Inconclusive Verdict = "INCONCLUSIVE"
)

// Checker holds a history against one property. Check is pure: it changes
// nothing, and says the same of the same history (a time limit aside).
type Checker interface {
	Check(h *History) Report
}

// Report is what one checker found. A checker of another package makes one with
// Near, Leave and Break, and ends it with Conclude.
type Report struct {
	// Check is which of the checks of a run the property belongs to; empty for a
	// checker that was called by itself.
	Check    string  `json:"check,omitempty"`
	Property string  `json:"property"`
	Verdict  Verdict `json:"verdict"`
	// Checked counts items that the property was tested on, Left those that it
	// could not be tested on, by why.
	Checked int            `json:"checked"`
	Left    map[string]int `json:"left,omitempty"`
	// Why is the reason of an INCONCLUSIVE.
	Why string `json:"why,omitempty"`
	// Margin is how close the closest item came to a violation.
	Margin *Margin `json:"margin,omitempty"`
	// Violations is how many there are, Violation the first of them.
	Violations int        `json:"violations"`
	Violation  *Violation `json:"violation,omitempty"`

	idle bool // concluded on no items, for no other reason
}

// Margin is a distance from a violation; a negative one is inside it.
type Margin struct {
	Value int64 `json:"value"`
	// Unit is "revisions", "entries", "ns", "items", or what a resource is counted in.
	Unit string `json:"unit"`
}

// Violation is the operations and other records that cannot all be, and a sentence
// that says why.
type Violation struct {
	Sentence   string      `json:"sentence"`
	Operations []Operation `json:"operations"`
	Exhibits   []Exhibit   `json:"exhibits,omitempty"`
}

// Exhibit is a record that is no operation, as people read it.
type Exhibit struct {
	// Record is its kind in the file, such as "watch" or "digest".
	Record string `json:"record"`
	// At is its moment on the clock of the operations; 0 where it has none.
	At   int64  `json:"at,omitempty"`
	Text string `json:"text"`
}

// String prints the exhibit on one line.
func (e Exhibit) String() string {
	if e.At == 0 {
		return e.Record + ": " + e.Text
	}
	return "[" + clockTime(e.At) + "] " + e.Record + ": " + e.Text
}

// String prints the distance with its unit.
func (m Margin) String() string {
	if m.Unit == "ns" {
		return time.Duration(m.Value).String()
	}
	return fmt.Sprintf("%d %s", m.Value, m.Unit)
}

// Summary is what all checks of a history say.
type Summary struct {
	Census  Census   `json:"census"`
	Reports []Report `json:"reports"`
}

// Check runs the checkers in their order.
func Check(h *History, checkers ...Checker) Summary {
	s := Summary{Census: h.Census()}
	for _, c := range checkers {
		s.Reports = append(s.Reports, c.Check(h))
	}
	return s
}

// Verdict is the worst of the reports; without any it is Inconclusive.
func (s Summary) Verdict() Verdict {
	worst := Pass
	for i := range s.Reports {
		switch s.Reports[i].Verdict {
		case Violated:
			return Violated
		case Pass:
		default:
			worst = Inconclusive
		}
	}
	if len(s.Reports) == 0 {
		return Inconclusive
	}
	return worst
}

// String is a table of the checks, then what each that did not pass says.
func (s Summary) String() string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PROPERTY\tCHECKED\tVERDICT\tMARGIN")
	for i := range s.Reports {
		r := &s.Reports[i]
		margin := "-"
		if r.Margin != nil {
			margin = r.Margin.String()
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\n", r.Property, r.Checked, r.Verdict, margin)
	}
	_ = table.Flush() // a strings.Builder takes everything
	text.WriteString(s.Explanation())
	return text.String()
}

// Explanation is what each check that did not pass says: why not, or the first
// violation with the records that cannot all be.
func (s Summary) Explanation() string {
	var text strings.Builder
	for i := range s.Reports {
		s.Reports[i].explain(&text)
	}
	return text.String()
}

func (r *Report) explain(text *strings.Builder) {
	switch r.Verdict {
	case Inconclusive:
		fmt.Fprintf(text, "%s: %s\n", r.Property, r.Why)
	case Violated:
		fmt.Fprintf(text, "%s: violation 1 of %d: %s\n", r.Property, r.Violations, r.Violation.Sentence)
		for i := range r.Violation.Operations {
			fmt.Fprintf(text, "  %s\n", &r.Violation.Operations[i])
		}
		for _, e := range r.Violation.Exhibits {
			fmt.Fprintf(text, "  %s\n", e)
		}
	default: // nothing to explain
	}
}

// Empty says that there was nothing to check: no verdict is meant.
func (r *Report) Empty() bool {
	return r.Verdict == Inconclusive && r.Checked == 0 && r.idle
}

// Leave counts an item that the property could not be tested on.
func (r *Report) Leave(why string) { r.leave(why) }

// Near notes how close an item came to a violation.
func (r *Report) Near(value int64, unit string) { r.near(value, unit) }

// Break counts a violation and keeps the first: the operations and the other records
// that cannot all be, in the order in which they are best read.
func (r *Report) Break(sentence func() string, operations []*Operation, exhibits ...Exhibit) {
	first := r.Violation == nil
	r.violate(sentence, operations...)
	if first {
		r.Violation.Exhibits = exhibits
		if r.Violation.Operations == nil {
			r.Violation.Operations = []Operation{}
		}
	}
}

// Conclude sets the verdict: INCONCLUSIVE below so many checked items, or where Why
// says why. A check of nothing never passes.
func (r *Report) Conclude(least int) Report { return r.conclude(least) }

// leave counts an item that the property could not be tested on.
func (r *Report) leave(why string) {
	if r.Left == nil {
		r.Left = map[string]int{}
	}
	r.Left[why]++
}

// near notes how close an item came to a violation.
func (r *Report) near(value int64, unit string) {
	if r.Margin == nil || value < r.Margin.Value {
		r.Margin = &Margin{Value: value, Unit: unit}
	}
}

// violate counts a violation and keeps the first; operations are in the order
// in which they are best read.
func (r *Report) violate(sentence func() string, operations ...*Operation) {
	r.Violations++
	if r.Violation != nil {
		return
	}
	r.Violation = &Violation{Sentence: sentence()}
	for _, o := range operations {
		if o != nil {
			r.Violation.Operations = append(r.Violation.Operations, *o)
		}
	}
}

// conclude sets the verdict. A check of nothing never passes.
func (r *Report) conclude(least int) Report {
	least = max(1, least)
	switch {
	case r.Violations > 0:
		r.Verdict, r.Why = Violated, ""
	case r.Why != "":
		r.Verdict = Inconclusive
	case r.Checked < least:
		r.Verdict, r.idle = Inconclusive, r.Checked == 0
		r.Why = fmt.Sprintf("checked %d items; %d are wanted%s", r.Checked, least, leftWhy(r.Left))
	default:
		r.Verdict = Pass
	}
	return *r
}

func leftWhy(left map[string]int) string {
	var parts []string
	for why, n := range left {
		parts = append(parts, fmt.Sprintf("%d %s", n, why))
	}
	if len(parts) == 0 {
		return ""
	}
	slices.Sort(parts)
	return "; left out: " + strings.Join(parts, ", ")
}
