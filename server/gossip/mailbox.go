package gossip

import (
	"sync"
	"time"

	candor "github.com/candor-plane/candor"
)

type noteKind int

// The kinds up to noteUnanswered are about an admitted member.
const (
	noteAlive noteKind = iota
	noteGone
	noteLeaving
	noteAnswered
	noteUnanswered
	noteConflict
	noteConflictProbed
	noteRefused
)

// noteKey says which notes replace each other while they wait. Alive and gone
// notes of one member share a key: only the newest counts.
type noteKey struct {
	topic noteTopic
	id    string // server ID
	addr  string
	other string
}

type noteTopic int

const (
	topicPresence noteTopic = iota
	topicLeaving
	topicProbe
	topicConflict
	topicConflictProbe
	topicRefusal
)

// note is one thing that a callback or the prober has to tell.
type note struct {
	kind  noteKind
	id    string
	addr  string
	meta  Meta
	at    time.Time
	rtt   time.Duration
	count uint64 // how many notes were merged into this one, itself included

	reason   candor.Reason // refusals
	cause    string        // refusals that are not about metadata
	existing Claim         // conflicts
	other    Claim
}

func (n note) key() noteKey {
	switch n.kind {
	case noteAlive, noteGone:
		return noteKey{topic: topicPresence, id: n.id}
	case noteLeaving:
		return noteKey{topic: topicLeaving, id: n.id}
	case noteAnswered, noteUnanswered:
		return noteKey{topic: topicProbe, id: n.id}
	case noteConflict:
		return noteKey{topic: topicConflict, id: n.id, addr: n.existing.Addr, other: n.other.Addr}
	case noteConflictProbed:
		return noteKey{topic: topicConflictProbe, id: n.id, addr: n.existing.Addr, other: n.other.Addr}
	default:
		return noteKey{topic: topicRefusal, id: n.id, addr: n.addr, other: string(n.reason) + n.cause}
	}
}

// ofMember reports whether a note is about an admitted member. There are never
// more such keys than a few for each member, so they always have a place:
// presence is told once, and a lost note would leave a wrong row behind.
func (n note) ofMember() bool { return n.kind <= noteUnanswered }

// mailbox hands notes from the library's callbacks to the one goroutine that
// acts on them. post never waits: a note replaces an older one with its key. A
// note about a conflict or a refused peer for which there is no room is counted
// and dropped; both come again for as long as their cause lasts.
type mailbox struct {
	wake chan struct{} // holds a token while notes wait

	mu        sync.Mutex
	capacity  int             // for notes that are not of a member
	strangers int             // how many of those wait
	waiting   map[noteKey]int // index into order
	order     []note
	drops     uint64
	closed    bool
}

func newMailbox(capacity int) *mailbox {
	return &mailbox{
		wake:     make(chan struct{}, 1),
		capacity: capacity,
		waiting:  make(map[noteKey]int),
	}
}

func (b *mailbox) post(n note) {
	n.count = 1
	b.mu.Lock()
	accepted := b.put(n)
	b.mu.Unlock()
	if !accepted {
		return
	}
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *mailbox) put(n note) bool {
	if b.closed {
		return false
	}
	key := n.key()
	if i, ok := b.waiting[key]; ok {
		n.count += b.order[i].count
		b.order[i] = n
		return true
	}
	if !n.ofMember() {
		if b.strangers >= b.capacity {
			b.drops++
			return false
		}
		b.strangers++
	}
	b.waiting[key] = len(b.order)
	b.order = append(b.order, n)
	return true
}

// take empties the mailbox, oldest key first.
func (b *mailbox) take() []note {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := b.order
	b.order, b.strangers = nil, 0
	clear(b.waiting)
	return taken
}

func (b *mailbox) dropped() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.drops
}

// close makes every later post a no-op: the library's timers outlive it.
func (b *mailbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
}
