package history

import (
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/candor-plane/candor"
)

// History is operations of one recording, in the order of their invocation. It
// is immutable and may be used concurrently.
type History struct {
	operations []Operation
	index      func() *index
}

// New takes operations in any order; they must not be changed afterwards. The
// error, of reason INVALID, names the first that contradicts itself or the
// others by its place, from 1.
func New(operations []Operation) (*History, error) {
	for i := range operations {
		o := &operations[i]
		err := o.validate()
		if err == nil {
			err = o.sequencedAs(&operations[0])
		}
		if err != nil {
			return nil, candor.Wrap(fmt.Sprintf("operation %d", i+1), err)
		}
	}
	return taken(operations), nil
}

// taken is the history of operations that were validated.
func taken(operations []Operation) *History {
	h := &History{operations: slices.Clone(operations)}
	slices.SortStableFunc(h.operations, func(a, b Operation) int { return a.invoked().compare(b.invoked()) })
	h.index = sync.OnceValue(func() *index { return newIndex(h.operations) })
	return h
}

// Len is the number of operations.
func (h *History) Len() int { return len(h.operations) }

// All yields the operations, which must not be changed.
func (h *History) All() iter.Seq[*Operation] {
	return func(yield func(*Operation) bool) {
		for i := range h.operations {
			if !yield(&h.operations[i]) {
				return
			}
		}
	}
}

// Census counts what a history holds.
type Census struct {
	Operations int `json:"operations"`
	Clients    int `json:"clients"`
	// Nodes and Boots are of the witnesses.
	Nodes int `json:"nodes"`
	Boots int `json:"boots"`
	// Reads that were answered, by class; Writes by outcome.
	Reads  map[candor.Freshness]int `json:"reads"`
	Writes map[Outcome]int          `json:"writes"`
	// Refused counts operations that were not answered, by reason: reads, which
	// say nothing and are left out by every check, and writes.
	Refused map[candor.Reason]int `json:"refused"`
}

// Census counts the operations.
func (h *History) Census() Census {
	c := Census{
		Operations: len(h.operations),
		Reads:      map[candor.Freshness]int{}, Writes: map[Outcome]int{}, Refused: map[candor.Reason]int{},
	}
	clients, nodes, boots := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for o := range h.All() {
		clients[o.Client] = true
		if o.Witness != nil {
			nodes[o.Witness.NodeID] = true
			boots[o.Witness.NodeID+" "+o.Witness.BootID] = true
		}
		switch {
		case !o.Kind.Reads():
			c.Writes[o.Outcome]++
		case o.Outcome == OutcomeOK:
			c.Reads[o.Freshness()]++
		}
		if o.Outcome != OutcomeOK {
			c.Refused[o.Reason]++
		}
	}
	c.Clients, c.Nodes, c.Boots = len(clients), len(nodes), len(boots)
	return c
}
