package read

import (
	"sync"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
)

// Change is a condition that the node came into.
type Change struct {
	Before, After candor.Token
	Condition     freshness.Condition
	At            time.Time
}

// changesKept is how many changes a slow watcher may be behind; it then goes on
// with the newest.
const changesKept = 64

// conditions are those that the node has been in.
type conditions struct {
	mu sync.Mutex
	// newest is changes[count-1 mod changesKept].
	changes [changesKept]Change
	count   uint64
	changed chan struct{}
}

func (c *conditions) start() { c.changed = make(chan struct{}) }

func (c *conditions) set(now freshness.Condition, at candor.Token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := at
	if c.count > 0 {
		last := &c.changes[(c.count-1)%changesKept]
		if last.Condition == now {
			return
		}
		before = last.After
	}
	c.changes[c.count%changesKept] = Change{Before: before, After: at, Condition: now, At: time.Now()}
	c.count++
	close(c.changed)
	c.changed = make(chan struct{})
}

// Condition is the newest one that was looked at; zero before the first.
func (r *Reader) Condition() freshness.Condition {
	c := &r.condition
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count == 0 {
		return freshness.Condition{}
	}
	return c.changes[(c.count-1)%changesKept].Condition
}

// Changes are those after a position, the newest one alone at first (position
// 0), the position after them, and a channel that is closed with the next.
func (r *Reader) Changes(after uint64) ([]Change, uint64, <-chan struct{}) {
	c := &r.condition
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count == 0 {
		return nil, 0, c.changed
	}
	if after == 0 {
		after = c.count - 1
	}
	if c.count-after > changesKept {
		after = c.count - changesKept
	}
	var out []Change
	for ; after < c.count; after++ {
		out = append(out, c.changes[after%changesKept])
	}
	return out, c.count, c.changed
}
