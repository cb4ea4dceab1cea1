package scheduler

import (
	"strings"

	"github.com/candor-plane/candor"
)

// Helps are the ways in which a change may make an instance fit that did not.
type Helps uint16

// The ways.
const (
	// HelpsCapacity: more is free on Event.Node.
	HelpsCapacity Helps = 1 << iota
	HelpsLabels
	HelpsTaints
	HelpsReadiness
	HelpsSchedulable
	// HelpsTopology: counts of instances over domains have changed.
	HelpsTopology
	// HelpsBudgets: more instances may be evicted, or less important ones are there.
	HelpsBudgets
	// HelpsNomination: Event.Node, which is being made free for some, has changed.
	HelpsNomination

	// HelpsEverything is what a new node helps with.
	HelpsEverything = HelpsCapacity | HelpsLabels | HelpsTaints | HelpsReadiness | HelpsSchedulable | HelpsTopology | HelpsBudgets
)

// String is the words, for metrics and logs.
func (h Helps) String() string {
	words := make([]string, 0, 8)
	for i, word := range [...]string{"Capacity", "Labels", "Taints", "Readiness", "Schedulable", "Topology", "Budgets", "Nomination"} {
		if h&(1<<i) != 0 {
			words = append(words, word)
		}
	}
	return strings.Join(words, "|")
}

// Event is what one Apply or Remove changed, as far as waiting instances care.
type Event struct {
	Ref candor.Ref
	// Node is the name of the only node that Helps is about, but for HelpsTopology and
	// HelpsBudgets, which are about all; empty: all are.
	Node  string
	Helps Helps
	// Pending: Ref is an instance without a place that is to be decided anew.
	Pending bool
	// Settled: Ref is an instance that waits no more: placed, ended, ending or gone.
	Settled bool
}
