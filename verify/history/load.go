package history

import (
	"fmt"
	"maps"
	"slices"

	"github.com/candor-plane/candor"
)

// Load demands that the recording was worth checking: that there was enough of
// it, and that the faults did bite. What is not met makes it INCONCLUSIVE;
// Load never finds a violation.
type Load struct {
	Operations int
	// Acknowledged and Unknown are writes of that outcome.
	Acknowledged int
	Unknown      int
	// Reads that were answered, by class, and operations that were refused, by
	// reason.
	Reads   map[candor.Freshness]int
	Refused map[candor.Reason]int
	// Nodes and Boots that answered.
	Nodes int
	Boots int
	// Bites are the caller's own counters of what the faults did.
	Bites []Bite
}

// Bite is how often a fault was seen to have an effect.
type Bite struct {
	Fault string
	Seen  int
	// Want is how often it must have been seen; 0 means once.
	Want int
}

// Check implements [Checker].
func (l Load) Check(h *History) Report {
	c := h.Census()
	r := Report{Property: "enough load", Checked: c.Operations}
	if len(l.Bites) > 0 {
		r.Property += ", and faults that bit"
	}
	r.want("operations", c.Operations, l.Operations)
	r.want("acknowledged writes", c.Writes[OutcomeOK], l.Acknowledged)
	r.want("writes of unknown outcome", c.Writes[OutcomeUnknown], l.Unknown)
	for _, class := range slices.Sorted(maps.Keys(l.Reads)) {
		r.want(string(class)+" reads", c.Reads[class], l.Reads[class])
	}
	for _, reason := range slices.Sorted(maps.Keys(l.Refused)) {
		r.want("operations refused with "+string(reason), c.Refused[reason], l.Refused[reason])
	}
	r.want("nodes that answered", c.Nodes, l.Nodes)
	r.want("boots that answered", c.Boots, l.Boots)
	for _, b := range l.Bites {
		r.want("times that a fault bit: "+b.Fault, b.Seen, max(1, b.Want))
	}
	return r.conclude(1)
}

func (r *Report) want(what string, seen, least int) {
	if least == 0 {
		return
	}
	r.near(int64(seen-least), "items")
	if seen >= least {
		return
	}
	if r.Why != "" {
		r.Why += "; "
	}
	r.Why += fmt.Sprintf("%d %s, want %d", seen, what, least)
}
