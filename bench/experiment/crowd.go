package experiment

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/candor-plane/candor/bench/histogram"
	"github.com/candor-plane/candor/bench/system"
)

// crowd is what was seen of instances. Its methods may be called concurrently.
type crowd struct {
	mu      sync.Mutex
	known   map[string]*fate
	placed  histogram.Histogram // from the first version to the first with a node
	running histogram.Histogram // from there to the first that runs
	// versions counts all that were seen.
	versions int
	last     time.Time // when something ran for the first time
	// avoided nodes are being emptied.
	avoided func(node string) bool
	settled int // those that are ready on other nodes
	moved   chan struct{}
}

// fate of one instance.
type fate struct {
	made    time.Time
	node    string
	ran     bool
	settled bool
}

func newCrowd() *crowd {
	return &crowd{known: map[string]*fate{}, avoided: func(string) bool { return false }, moved: make(chan struct{}, 1)}
}

// see takes one version, in order.
func (c *crowd) see(i system.Instance, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.versions++
	f := c.known[i.UID]
	if f == nil {
		f = &fate{made: now}
		c.known[i.UID] = f
	}
	if f.node == "" && i.Node != "" {
		f.node = i.Node
		c.placed.Record(now.Sub(f.made))
	}
	if !f.ran && i.Running {
		f.ran, c.last = true, now
		c.running.Record(now.Sub(f.made))
	}
	c.settle(f, i.Ready && !i.Gone && !c.avoided(f.node))
	if i.Gone {
		delete(c.known, i.UID)
	}
	select {
	case c.moved <- struct{}{}:
	default:
	}
}

func (c *crowd) settle(f *fate, is bool) {
	if f.settled == is {
		return
	}
	f.settled = is
	if is {
		c.settled++
		return
	}
	c.settled--
}

// avoid has only those count that are elsewhere, and says how many were not.
func (c *crowd) avoid(node func(string) bool) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.avoided = node
	there := 0
	for _, f := range c.known {
		if node(f.node) {
			there++
			c.settle(f, false)
		}
	}
	return there
}

// await returns once so many are ready, and says when the last of them was seen.
func (c *crowd) await(ctx context.Context, count int, patience time.Duration) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		c.mu.Lock()
		settled, of := c.settled, len(c.known)
		c.mu.Unlock()
		if settled >= count {
			return time.Now(), nil
		}
		select {
		case <-c.moved:
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("%d instances are ready of %d that are there, wanted %d: %w", settled, of, count, ctx.Err())
		}
	}
}

// lastRunning is when the last one that had not run before did.
func (c *crowd) lastRunning() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

func (c *crowd) values() Values {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Values{
		"placed-p50": c.placed.Quantile(0.50).Seconds(), "placed-p99": c.placed.Quantile(0.99).Seconds(),
		"running-p50": c.running.Quantile(0.50).Seconds(), "running-p99": c.running.Quantile(0.99).Seconds(),
		"versions": float64(c.versions) / float64(max(1, len(c.known))),
	}
}
