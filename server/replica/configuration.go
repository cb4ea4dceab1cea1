package replica

import (
	"sync"

	"github.com/hashicorp/raft"
)

// Configuration is who the members are, as of the log entry at Index, which
// may not be committed yet.
type Configuration struct {
	Index   uint64
	Servers []raft.Server
}

// Voters are those whose votes count.
func (c Configuration) Voters() []raft.Server {
	var voters []raft.Server
	for _, s := range c.Servers {
		if s.Suffrage == raft.Voter {
			voters = append(voters, s)
		}
	}
	return voters
}

// Find returns a member by ID.
func (c Configuration) Find(id raft.ServerID) (raft.Server, bool) {
	for _, s := range c.Servers {
		if s.ID == id {
			return s, true
		}
	}
	return raft.Server{}, false
}

// configurationTracker knows the newest configuration with its index, which
// raft itself does not tell (its GetConfiguration leaves the index 0). It sees
// what raft writes to the log and to snapshots, and what it reads at start.
type configurationTracker struct {
	mu sync.Mutex
	// base is from a snapshot; entries are those in the log, oldest first.
	base    Configuration
	entries []Configuration
}

func (t *configurationTracker) latest() Configuration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.entries); n > 0 && t.entries[n-1].Index > t.base.Index {
		return t.entries[n-1]
	}
	return t.base
}

func (t *configurationTracker) stored(logs []*raft.Log) {
	for _, entry := range logs {
		if entry.Type == raft.LogConfiguration {
			t.entry(entry)
		}
	}
}

func (t *configurationTracker) entry(log *raft.Log) {
	c := Configuration{Index: log.Index, Servers: raft.DecodeConfiguration(log.Data).Servers}
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.entries); n > 0 && t.entries[n-1].Index >= c.Index {
		t.cut(c.Index)
	}
	t.entries = append(t.entries, c)
}

// deleted hears of a removed range, of a log that ended at last. A suffix takes
// its configurations with it; a prefix is covered by a snapshot.
func (t *configurationTracker) deleted(low, high, last uint64) {
	if high < last {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cut(low)
}

func (t *configurationTracker) cut(from uint64) {
	for n := len(t.entries); n > 0 && t.entries[n-1].Index >= from; n-- {
		t.entries = t.entries[:n-1]
	}
}

func (t *configurationTracker) snapshot(index uint64, configuration raft.Configuration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if index >= t.base.Index {
		t.base = Configuration{Index: index, Servers: configuration.Servers}
	}
	for len(t.entries) > 1 && t.entries[0].Index <= index {
		t.entries = t.entries[1:]
	}
}
