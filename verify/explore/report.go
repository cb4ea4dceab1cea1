package explore

import (
	"fmt"
	"strings"
)

// Report is what a run saw.
type Report struct {
	States, Transitions, Depth int
	// Failure is nil when every promise holds.
	Failure *Failure
}

// Failure is a broken promise and the shortest way to it.
type Failure struct {
	Broken string
	Steps  []string
}

// String prints the counts, and the failure as numbered steps.
func (r Report) String() string {
	s := fmt.Sprintf("%d states, %d transitions, depth %d", r.States, r.Transitions, r.Depth)
	if r.Failure == nil {
		return s
	}
	return s + "\n" + r.Failure.String()
}

// String is the failure as numbered steps.
func (f *Failure) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "broken: %s", f.Broken)
	for i, step := range f.Steps {
		fmt.Fprintf(&b, "\n%3d. %s", i+1, step)
	}
	return b.String()
}
