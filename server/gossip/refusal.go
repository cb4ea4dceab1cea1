package gossip

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	candor "github.com/candor-plane/candor"
)

const (
	maxRefusals        = 64
	refusalLogInterval = 10 * time.Minute
	// refusalLogsPerMinute bounds the lines of many peers together.
	refusalLogsPerMinute = 10
)

// Refusal is a peer that was not let in, and why: CLUSTER_MISMATCH for another
// cluster's, INVALID for metadata that cannot be read or names another server,
// QUEUE_SATURATED for one too many, UNAUTHENTICATED for one that this server
// shares no key with, in one direction or both.
type Refusal struct {
	ServerID  string // empty when the peer could not say it
	Addr      string // without a port when only a stream came, empty when only an ID is known
	Name      string // empty when the metadata could not be read, like ClusterID
	ClusterID string
	Reason    candor.Reason
	Cause     string // of UNAUTHENTICATED: who cannot open what, for people
	Count     uint64
	First     time.Time
	Last      time.Time
}

// refusalCounts counts exactly, from callbacks, where the ledger may forget.
type refusalCounts struct {
	clusterMismatch atomic.Uint64
	invalid         atomic.Uint64
	tableFull       atomic.Uint64
	unauthenticated atomic.Uint64
}

func (c *refusalCounts) add(reason candor.Reason) {
	switch reason {
	case candor.ReasonClusterMismatch:
		c.clusterMismatch.Add(1)
	case candor.ReasonQueueSaturated:
		c.tableFull.Add(1)
	case candor.ReasonUnauthenticated:
		c.unauthenticated.Add(1)
	default:
		c.invalid.Add(1)
	}
}

func (c *refusalCounts) byReason() map[candor.Reason]uint64 {
	return map[candor.Reason]uint64{
		candor.ReasonClusterMismatch: c.clusterMismatch.Load(),
		candor.ReasonInvalid:         c.invalid.Load(),
		candor.ReasonQueueSaturated:  c.tableFull.Load(),
		candor.ReasonUnauthenticated: c.unauthenticated.Load(),
	}
}

// refusalLedger remembers the latest refused peers and logs each once per
// interval. One goroutine owns it.
type refusalLedger struct {
	clusterID string
	log       hclog.Logger
	entries   map[noteKey]*refusalEntry

	minute     time.Time // start of the current logging minute
	logged     int       // lines in it
	suppressed uint64    // lines left out since the last one
}

type refusalEntry struct {
	Refusal
	loggedAt time.Time
}

func newRefusalLedger(clusterID string, log hclog.Logger) *refusalLedger {
	return &refusalLedger{clusterID: clusterID, log: log, entries: make(map[noteKey]*refusalEntry)}
}

func (l *refusalLedger) record(n note) {
	e, ok := l.entries[n.key()]
	if !ok {
		l.makeRoom()
		e = &refusalEntry{Refusal: Refusal{ServerID: n.id, Addr: n.addr, Reason: n.reason, Cause: n.cause, First: n.at}}
		l.entries[n.key()] = e
	}
	e.Name, e.ClusterID = n.meta.Name, n.meta.ClusterID
	e.Count += n.count
	e.Last = n.at
	if !e.loggedAt.IsZero() && n.at.Sub(e.loggedAt) < refusalLogInterval {
		return
	}
	if !l.mayLog(n.at) {
		return
	}
	e.loggedAt = n.at
	if e.Cause != "" {
		l.log.Warn("shares no key with a peer", "reason", e.Reason, "cause", e.Cause, "server", e.ServerID, "name", e.Name,
			"address", e.Addr, "count", e.Count, "suppressed", l.suppressed)
		l.suppressed = 0
		return
	}
	l.log.Warn("refused a peer", "reason", e.Reason, "server", e.ServerID, "name", e.Name, "address", e.Addr,
		"its_cluster", e.ClusterID, "this_cluster", l.clusterID, "count", e.Count, "suppressed", l.suppressed)
	l.suppressed = 0
}

func (l *refusalLedger) mayLog(now time.Time) bool {
	if now.Sub(l.minute) >= time.Minute {
		l.minute, l.logged = now, 0
	}
	if l.logged >= refusalLogsPerMinute {
		l.suppressed++
		return false
	}
	l.logged++
	return true
}

func (l *refusalLedger) makeRoom() {
	if len(l.entries) < maxRefusals {
		return
	}
	var oldest noteKey
	first := true
	for key, e := range l.entries {
		if first || e.Last.Before(l.entries[oldest].Last) {
			oldest, first = key, false
		}
	}
	delete(l.entries, oldest)
}

// list returns the refusals, newest first.
func (l *refusalLedger) list() []Refusal {
	all := make([]Refusal, 0, len(l.entries))
	for _, e := range l.entries {
		all = append(all, e.Refusal)
	}
	slices.SortFunc(all, func(a, b Refusal) int {
		if c := b.Last.Compare(a.Last); c != 0 {
			return c
		}
		return strings.Compare(a.ServerID+a.Addr+a.Cause, b.ServerID+b.Addr+b.Cause)
	})
	return all
}
