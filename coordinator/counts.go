package coordinator

import (
	"sync"
	"sync/atomic"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
)

// counts are of one duty on one node.
type counts struct {
	grants, renewals, givenUp atomic.Uint64

	mu       sync.Mutex
	stages   map[Stage]uint64
	refusals map[candor.Reason]uint64
}

// Stage is what an era reached. Takeover marks seals that another than the holder
// made.
type Stage struct {
	State    tenure.State
	Takeover bool
}

// observe counts what eras reached between two lineages.
func (c *counts) observe(before, after tenure.Lineage) {
	if before.Duty.Name == "" {
		return // the first look: what was before is nobody's news
	}
	for _, s := range tenure.Stages(before, after) {
		c.mu.Lock()
		if c.stages == nil {
			c.stages = map[Stage]uint64{}
		}
		c.stages[Stage{State: s.State, Takeover: s.Takeover}]++
		c.mu.Unlock()
	}
}

// refused counts an event of this node's that the root did not take.
func (c *counts) refused(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refusals == nil {
		c.refusals = map[candor.Reason]uint64{}
	}
	c.refusals[candor.ReasonOf(err)]++
}
