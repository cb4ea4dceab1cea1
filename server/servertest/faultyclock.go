package servertest

import (
	"sync"
	"time"

	"github.com/candor-plane/candor/server/replica"
)

// faultyClock is a server's clock whose wall time can be wrong, over its restarts.
type faultyClock struct {
	replica.Clock

	mu sync.Mutex
	// wrong makes the time that is told from the right one; nil tells that.
	wrong func(right time.Time) time.Time
	met   int
}

func (c *faultyClock) set(wrong func(time.Time) time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = wrong
}

// seen is how often a wrong time was told.
func (c *faultyClock) seen() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.met
}

// Wall is the time, or what is wrong with it.
func (c *faultyClock) Wall() time.Time {
	right := c.Clock.Wall()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wrong == nil {
		return right
	}
	c.met++
	return c.wrong(right)
}
