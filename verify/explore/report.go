package explore

import (
	"fmt"
	"strings"
)

// Report is what a run saw.
type Report struct {
	States, Transitions, Depth int
	// Lookouts are of the goals, as far as they were looked at.
	Lookouts []Lookout
	// Failure is nil when every promise holds.
	Failure *Failure
}

// Failure is a broken promise and the shortest way to it.
type Failure struct {
	Broken string
	Steps  []string
	// Cycle is what goes on for ever after the steps, where the promise is a goal.
	Cycle []string
}

// String prints the counts, and the failure as numbered steps, those of a cycle last.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d states, %d transitions, depth %d", r.States, r.Transitions, r.Depth)
	for _, l := range r.Lookouts {
		fmt.Fprintf(&b, "\n%s: %d states owe it, in %d components", l.Goal, l.Owing, l.Cycles)
	}
	if r.Failure != nil {
		b.WriteString("\n" + r.Failure.String())
	}
	return b.String()
}

// String is the failure as numbered steps.
func (f *Failure) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "broken: %s", f.Broken)
	for i, step := range f.Steps {
		fmt.Fprintf(&b, "\n%3d. %s", i+1, step)
	}
	if len(f.Cycle) > 0 {
		b.WriteString("\nand then for ever:")
	}
	for i, step := range f.Cycle {
		fmt.Fprintf(&b, "\n%3d. %s", len(f.Steps)+i+1, step)
	}
	return b.String()
}
