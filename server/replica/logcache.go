package replica

import (
	"sync"

	"github.com/hashicorp/raft"
)

// logCache keeps the newest entries in memory, bounded by their bytes: an entry
// may carry hundreds of commands, so that raft's own cache, bounded by count,
// could hold gigabytes. Replication and followers' applying read from it.
type logCache struct {
	limit int64

	mu    sync.RWMutex
	logs  []*raft.Log // ring
	first uint64      // index of the oldest kept; 0 when empty
	count uint64
	bytes int64
}

func newLogCache(limit int64) *logCache {
	return &logCache{limit: limit, logs: make([]*raft.Log, 1024)}
}

// get returns an entry that callers share and must not change.
func (c *logCache) get(index uint64) (*raft.Log, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.count == 0 || index < c.first || index >= c.first+c.count {
		return nil, false
	}
	return c.logs[index%uint64(len(c.logs))], true
}

// put keeps entries just stored, which follow what is kept or replace it.
func (c *logCache) put(logs []*raft.Log) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, log := range logs {
		if c.count > 0 && log.Index != c.first+c.count {
			c.clear()
		}
		if c.count == uint64(len(c.logs)) {
			c.evict()
		}
		if c.count == 0 {
			c.first = log.Index
		}
		c.logs[log.Index%uint64(len(c.logs))] = log
		c.count++
		c.bytes += logBytes(log)
		for c.bytes > c.limit && c.count > 1 {
			c.evict()
		}
	}
}

// drop forgets everything: the log was cut.
func (c *logCache) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clear()
}

func (c *logCache) clear() {
	clear(c.logs)
	c.first, c.count, c.bytes = 0, 0, 0
}

func (c *logCache) evict() {
	slot := c.first % uint64(len(c.logs))
	c.bytes -= logBytes(c.logs[slot])
	c.logs[slot] = nil
	c.first++
	c.count--
}

// logBytes is about what an entry takes in the log.
func logBytes(log *raft.Log) int64 { return int64(len(log.Data)) + 32 }
