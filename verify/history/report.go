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

// Report is what one checker found.
type Report struct {
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
}

// Margin is a distance from a violation; a negative one is inside it.
type Margin struct {
	Value int64 `json:"value"`
	// Unit is "revisions", "entries", "ns" or "items".
	Unit string `json:"unit"`
}

// Violation is the operations that cannot all be, and a sentence that says why.
type Violation struct {
	Sentence   string      `json:"sentence"`
	Operations []Operation `json:"operations"`
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
	default: // nothing to explain
	}
}

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
		r.Verdict = Inconclusive
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
