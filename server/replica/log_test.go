package replica

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/raft"
	"pgregory.net/rapid"
)

// The cache may forget and must never be wrong: against a plain map, under
// appends, replaced suffixes and cuts.
func TestTheLogCacheNeverAnswersWrongly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := int64(rapid.IntRange(1, 4000).Draw(t, "limit"))
		c := newLogCache(limit)
		truth := map[uint64]*raft.Log{}
		last := uint64(0)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0:
				if last == 0 {
					continue
				}
				from := rapid.Uint64Range(1, last).Draw(t, "cut")
				c.drop()
				for i := from; i <= last; i++ {
					delete(truth, i)
				}
				last = from - 1
			case 1:
				jump := rapid.Uint64Range(1, 50).Draw(t, "jump")
				c.drop()
				clear(truth)
				last += jump
			default:
				var batch []*raft.Log
				for range rapid.IntRange(1, 300).Draw(t, "batch") {
					last++
					batch = append(batch, &raft.Log{Index: last, Data: make([]byte, rapid.IntRange(0, 200).Draw(t, "size"))})
				}
				c.put(batch)
				for _, log := range batch {
					truth[log.Index] = log
				}
				if got, ok := c.get(last); !ok || got != truth[last] {
					t.Fatalf("the newest entry %d is not kept", last)
				}
			}
			bytes := int64(0)
			for i := range last + 3 {
				got, ok := c.get(i)
				if ok && got != truth[i] {
					t.Fatalf("entry %d is wrong", i)
				}
				if ok {
					bytes += logBytes(got)
				}
			}
			if bytes != c.bytes || c.count > 1 && bytes > limit {
				t.Fatalf("keeps %d bytes, counts %d, limit %d", bytes, c.bytes, limit)
			}
		}
	})
}

func configurationEntry(index uint64, servers ...string) *raft.Log {
	var c raft.Configuration
	for _, s := range servers {
		c.Servers = append(c.Servers, raft.Server{ID: raft.ServerID(s), Address: raft.ServerAddress("at-" + s)})
	}
	return &raft.Log{Index: index, Type: raft.LogConfiguration, Data: raft.EncodeConfiguration(c)}
}

func TestTheTrackerKnowsTheNewestConfiguration(t *testing.T) {
	members := func(c Configuration) []string {
		var out []string
		for _, s := range c.Servers {
			out = append(out, string(s.ID))
		}
		return out
	}
	track := &configurationTracker{}
	check := func(what string, index uint64, want ...string) {
		t.Helper()
		c := track.latest()
		if c.Index != index || !cmp.Equal(members(c), want) {
			t.Errorf("%s: configuration %d %v, want %d %v", what, c.Index, members(c), index, want)
		}
	}
	track.stored([]*raft.Log{configurationEntry(1, "a"), {Index: 2}, configurationEntry(3, "a", "b")})
	check("two entries", 3, "a", "b")
	track.stored([]*raft.Log{{Index: 4}, configurationEntry(5, "a", "b", "c")})
	track.deleted(5, 9, 9)
	check("the newest was cut off", 3, "a", "b")
	track.stored([]*raft.Log{configurationEntry(5, "a", "b", "d")})
	check("another in its place", 5, "a", "b", "d")
	track.snapshot(3, raft.Configuration{Servers: []raft.Server{{ID: "a"}, {ID: "b"}}})
	check("an own snapshot of an older one", 5, "a", "b", "d")
	track.deleted(1, 4, 9)
	check("a prefix was cut off", 5, "a", "b", "d")
	track.snapshot(40, raft.Configuration{Servers: []raft.Server{{ID: "x"}}})
	check("a snapshot from a leader", 40, "x")
	track.deleted(5, 9, 9)
	check("and the log cleared behind it", 40, "x")
	track.stored([]*raft.Log{configurationEntry(44, "x", "y")})
	check("and continued", 44, "x", "y")
}
