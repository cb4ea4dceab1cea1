package server

import (
	"sync"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
)

// The gates that keep tenures' guarantees: what they turn away was prevented, and broke
// nothing.
const (
	// gateTenure takes events of tenures, gateFence commands under an era, both in the
	// turn; gateAllocator takes calls for numbers, on the holder.
	gateTenure    = "tenure"
	gateFence     = "fence"
	gateAllocator = "allocator"
)

// gates counts what was turned away of what this server proposed.
type gates struct {
	mu     sync.Mutex
	counts map[rejection]uint64
}

type rejection struct {
	gate   string
	reason candor.Reason
}

// judged takes note of what a turn decided about a command.
func (g *gates) judged(c *command.Command, refused error) {
	if refused == nil || c.Duty == "" {
		return
	}
	gate := gateFence
	if c.Type == command.TypeTenure {
		gate = gateTenure
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.counts == nil {
		g.counts = map[rejection]uint64{}
	}
	g.counts[rejection{gate, candor.ReasonOf(refused)}]++
}

// each calls f for every gate and reason that turned something away.
func (g *gates) each(f func(r rejection, count uint64)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for r, count := range g.counts {
		f(r, count)
	}
}
