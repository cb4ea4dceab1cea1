package placing

import (
	"fmt"
	"strings"

	"github.com/candor-plane/candor"
)

// Sentence says what was decided, for the condition Scheduled and for people.
func Sentence(d *candor.Decision) (reason, message string) {
	switch d.Verdict {
	case candor.VerdictPlaced:
		if len(d.Best) == 0 {
			return candor.WhyPlaced, "on " + d.Node
		}
		return candor.WhyPlaced, fmt.Sprintf("on %s, score %d, of %s", d.Node, d.Best[0].Score, nodes(d.Considered))
	case candor.VerdictNominated:
		if len(d.Victims) == 0 {
			return candor.WhyNominated, "waits for instances that are ending on " + d.Node
		}
		return candor.WhyNominated, fmt.Sprintf("%s is made free: %s", d.Node, strings.Join(d.Victims, ", "))
	default:
		return candor.WhyNothingFits, nothing(d)
	}
}

// nothing is "0 of 5 nodes fit: 3 InsufficientMemory, 2 NotReady".
func nothing(d *candor.Decision) string {
	if d.Considered == 0 {
		return "there are no nodes"
	}
	parts := make([]string, len(d.Reasons))
	for i, r := range d.Reasons {
		parts[i] = fmt.Sprintf("%d %s", r.Nodes, r.Reason)
	}
	return fmt.Sprintf("0 of %s fit: %s", nodes(d.Considered), strings.Join(parts, ", "))
}

func nodes(n int) string {
	if n == 1 {
		return "1 node"
	}
	return fmt.Sprintf("%d nodes", n)
}
