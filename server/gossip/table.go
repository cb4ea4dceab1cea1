package gossip

import (
	"slices"
	"strings"
	"time"

	candor "github.com/candor-plane/candor"
)

// missesToSuspect is how many unanswered probes in a row make a member SUSPECT;
// one may be a lost packet.
const missesToSuspect = 2

// table is the member list as this node believes it. It does no I/O and reads
// no clock; one goroutine owns it. Each method returns the event that it caused.
type table struct {
	self   string
	roster *roster // kept equal to the rows
	rows   map[string]*row
}

type row struct {
	Member
	misses      int
	leavingBoot string // the boot that said goodbye
}

func newTable(self string, roster *roster) *table {
	return &table{self: self, roster: roster, rows: make(map[string]*row)}
}

// alive takes a join or an update. memberlist keeps what it calls alive and
// suspect apart only inside, so any news of a member counts as life.
func (t *table) alive(n note) (Event, bool) {
	r, known := t.rows[n.id]
	if !known {
		r = &row{Member: Member{Self: n.id == t.self}}
		t.rows[n.id] = r
		t.roster.add(n.id)
	}
	was, old := r.State, r.Member
	r.Meta, r.Addr, r.misses = n.meta, n.addr, 0
	if !known || old.Meta != n.meta {
		r.UpdatedAt = n.at
	}
	if old.BootID != n.meta.BootID {
		r.HeardAt, r.RTT = time.Time{}, 0
	}
	r.enter(StateAlive, n.at)
	changed := was != StateAlive || old.Meta != n.meta || old.Addr != n.addr
	return Event{Member: r.Member, Was: was}, changed
}

// gone takes the end of a member: LEFT when that boot said goodbye, else DEAD.
func (t *table) gone(n note) (Event, bool) {
	r, known := t.rows[n.id]
	if !known {
		return Event{}, false
	}
	was := r.State
	r.Meta, r.Addr = n.meta, n.addr
	state := StateDead
	if n.meta.Leaving || (r.leavingBoot != "" && r.leavingBoot == n.meta.BootID) {
		state = StateLeft
	}
	r.enter(state, n.at)
	return Event{Member: r.Member, Was: was}, was != state
}

// leaving takes a goodbye, which may come after the death that it explains.
func (t *table) leaving(n note) (Event, bool) {
	r, known := t.rows[n.id]
	if !known {
		return Event{}, false
	}
	r.leavingBoot = n.meta.BootID
	if r.State != StateDead || r.BootID != n.meta.BootID {
		return Event{}, false
	}
	r.enter(StateLeft, n.at)
	return Event{Member: r.Member, Was: StateDead}, true
}

func (t *table) answered(n note) (Event, bool) {
	r, known := t.rows[n.id]
	if !known {
		return Event{}, false
	}
	r.HeardAt, r.RTT, r.misses = n.at, n.rtt, 0
	if r.State != StateSuspect {
		return Event{}, false
	}
	r.enter(StateAlive, n.at)
	return Event{Member: r.Member, Was: StateSuspect}, true
}

func (t *table) unanswered(n note) (Event, bool) {
	r, known := t.rows[n.id]
	if !known || r.State != StateAlive || r.Self {
		return Event{}, false
	}
	r.misses++
	if r.misses < missesToSuspect {
		return Event{}, false
	}
	r.enter(StateSuspect, n.at)
	return Event{Member: r.Member, Was: StateAlive}, true
}

// identify completes a refusal that came with an ID or an address alone from the
// member that has it. An address may be forged, so this is for people.
func (t *table) identify(n note) note {
	if n.reason != candor.ReasonUnauthenticated {
		return n
	}
	for id, r := range t.rows {
		if id == n.id || (n.id == "" && r.Addr == n.addr) {
			n.id, n.addr, n.meta = id, r.Addr, r.Meta
			return n
		}
	}
	return n
}

// forget drops a member that is not alive, and reports whether it did.
func (t *table) forget(id string) bool {
	r, known := t.rows[id]
	if !known || r.Self || !r.ended() {
		return false
	}
	t.drop(id)
	return true
}

// expire drops members that ended longer than retention ago.
func (t *table) expire(now time.Time, retention time.Duration) {
	for id, r := range t.rows {
		if r.ended() && !r.Self && now.Sub(r.Since) > retention {
			t.drop(id)
		}
	}
}

// list returns the members by name, then by server ID.
func (t *table) list() []Member {
	all := make([]Member, 0, len(t.rows))
	for _, r := range t.rows {
		all = append(all, r.Member)
	}
	slices.SortFunc(all, func(a, b Member) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return strings.Compare(a.ServerID, b.ServerID)
	})
	return all
}

// makeRoom drops the member that ended first, for one that found no place.
func (t *table) makeRoom() {
	var first *row
	for _, r := range t.rows {
		if r.ended() && !r.Self && (first == nil || r.Since.Before(first.Since)) {
			first = r
		}
	}
	if first != nil {
		t.drop(first.ServerID)
	}
}

func (t *table) drop(id string) {
	delete(t.rows, id)
	t.roster.remove(id)
}

func (r *row) enter(s State, at time.Time) {
	if r.State == s {
		return
	}
	r.State, r.Since = s, at
}

func (r *row) ended() bool { return r.State == StateDead || r.State == StateLeft }
