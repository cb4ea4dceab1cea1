package report

import "time"

// Gaps is how often, and for how long, a class went unanswered.
type Gaps struct {
	Class Class `json:"class"`
	// Limit is what the scenario allows; 0 for no bound.
	Limit time.Duration `json:"limit,omitempty"`
	Gaps  []Gap         `json:"gaps,omitempty"`
}

// Gap is a time in which no operation of a class was answered.
type Gap struct {
	From time.Duration `json:"from"`
	To   time.Duration `json:"to"`
	// Waited is what it waited on, in order. What it does not account for is shown as
	// unknown.
	Waited []Wait `json:"waited,omitempty"`
}

// Wait is a part of a gap.
type Wait struct {
	On  Cause         `json:"on"`
	For time.Duration `json:"for"`
}

// Cause is what clients waited for.
type Cause string

// The causes.
const (
	Detection   Cause = "detection"
	Election    Cause = "election"
	FirstCommit Cause = "first commit"
	Watchdog    Cause = "watchdog"
	NotKnown    Cause = "unknown"
)

// known is the cause, or NotKnown for one that this package has no name for.
func (c Cause) known() Cause {
	switch c {
	case Detection, Election, FirstCommit, Watchdog:
		return c
	default:
		return NotKnown
	}
}

// Took is its length.
func (g *Gap) Took() time.Duration { return g.To - g.From }

// Longest of the gaps; 0 if there is none.
func (g *Gaps) Longest() time.Duration {
	longest := time.Duration(0)
	for i := range g.Gaps {
		longest = max(longest, g.Gaps[i].Took())
	}
	return longest
}

// Kept says whether every gap is within the limit.
func (g *Gaps) Kept() bool { return g.Limit == 0 || g.Longest() <= g.Limit }

// parts are the waits within the gap, and last what they do not account for.
func (g *Gap) parts() []Wait {
	left := max(g.Took(), 0)
	var parts []Wait
	for _, w := range g.Waited {
		w = Wait{On: w.On.known(), For: min(max(w.For, 0), left)}
		if w.For == 0 {
			continue
		}
		left -= w.For
		parts = append(parts, w)
	}
	if left > 0 {
		parts = append(parts, Wait{On: NotKnown, For: left})
	}
	return parts
}
