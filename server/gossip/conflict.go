package gossip

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/memberlist"
)

const (
	maxConflicts        = 16
	conflictRetention   = time.Minute
	conflictLogInterval = time.Minute
)

// Claim is one address that announces a server ID.
type Claim struct {
	Addr     string
	Name     string
	BootID   string
	Answered bool // it answered the last probe under this server ID
}

// Conflict is one server ID announced from two addresses. It ends by itself a
// minute after it was last seen, or when the server is accepted at the other
// address.
type Conflict struct {
	ServerID string
	Existing Claim // the address that this node holds to
	Other    Claim
	Count    uint64
	First    time.Time
	Last     time.Time
	ProbedAt time.Time // zero until both were asked
}

// Duplicate reports whether both addresses answered a probe under the one ID:
// two live servers, not one that moved.
func (c Conflict) Duplicate() bool { return c.Existing.Answered && c.Other.Answered }

func claimOf(node *memberlist.Node) Claim {
	c := Claim{Addr: net.JoinHostPort(node.Addr.String(), strconv.Itoa(int(node.Port)))}
	if meta, err := decodeMeta(node.Meta); err == nil {
		c.Name, c.BootID = meta.Name, meta.BootID
	}
	return c
}

// conflictLedger remembers the conflicts that are going on. One goroutine owns it.
type conflictLedger struct {
	log     hclog.Logger
	entries map[noteKey]*conflictEntry
}

type conflictEntry struct {
	Conflict
	loggedAt time.Time
}

func newConflictLedger(log hclog.Logger) *conflictLedger {
	return &conflictLedger{log: log, entries: make(map[noteKey]*conflictEntry)}
}

// record returns the conflict when it is new.
func (l *conflictLedger) record(n note) *Conflict {
	key := n.key()
	e, known := l.entries[key]
	if !known {
		if len(l.entries) >= maxConflicts {
			return nil
		}
		e = &conflictEntry{Conflict: Conflict{ServerID: n.id, First: n.at}}
		l.entries[key] = e
	}
	n.existing.Answered, n.other.Answered = e.Existing.Answered, e.Other.Answered
	e.Existing, e.Other = n.existing, n.other
	e.Count += n.count
	e.Last = n.at
	if n.at.Sub(e.loggedAt) >= conflictLogInterval {
		e.loggedAt = n.at
		l.log.Warn("server ID announced from two addresses", "server", e.ServerID,
			"existing", e.Existing.Addr, "existing_boot", e.Existing.BootID,
			"other", e.Other.Addr, "other_boot", e.Other.BootID, "count", e.Count)
	}
	if known {
		return nil
	}
	c := e.Conflict
	return &c
}

// probed returns the conflict when it has just proved to be two live servers.
func (l *conflictLedger) probed(n note) *Conflict {
	e, ok := l.entries[noteKey{topic: topicConflict, id: n.id, addr: n.existing.Addr, other: n.other.Addr}]
	if !ok {
		return nil
	}
	was := e.Duplicate()
	e.Existing.Answered, e.Other.Answered = n.existing.Answered, n.other.Answered
	e.ProbedAt = n.at
	if was || !e.Duplicate() {
		return nil
	}
	l.log.Error("two live servers have one server ID; stop one of them", "server", e.ServerID,
		"existing", e.Existing.Addr, "other", e.Other.Addr)
	c := e.Conflict
	return &c
}

// settle ends the conflicts over a server that was accepted at addr.
func (l *conflictLedger) settle(serverID, addr string) {
	for key, e := range l.entries {
		if e.ServerID == serverID && e.Existing.Addr != addr {
			delete(l.entries, key)
		}
	}
}

func (l *conflictLedger) expire(now time.Time) {
	for key, e := range l.entries {
		if now.Sub(e.Last) > conflictRetention {
			delete(l.entries, key)
		}
	}
}

func (l *conflictLedger) list() []Conflict {
	all := make([]Conflict, 0, len(l.entries))
	for _, e := range l.entries {
		all = append(all, e.Conflict)
	}
	slices.SortFunc(all, func(a, b Conflict) int {
		return strings.Compare(a.ServerID+a.Other.Addr, b.ServerID+b.Other.Addr)
	})
	return all
}
