package limit

// tally is how full a class is, in one word, so that a request which finds room
// takes its place with one instruction. Counts of clients, of peers, and of the
// identities that wait in the ring.
type tally uint64

const (
	oneClient tally = 1
	onePeer   tally = 1 << 20
	oneRinged tally = 1 << 40

	tallyMask = 1<<20 - 1
)

func (t tally) clients() int { return int(t & tallyMask) }
func (t tally) peers() int   { return int(t >> 20 & tallyMask) }
func (t tally) ringed() int  { return int(t >> 40) }

// room says whether one more may enter: a peer while peers have not used up what
// is reserved for them, and anyone while a place is free that is not. While
// clients keep to this, a reserved place is always free for a peer.
func (t tally) room(peer bool, l *limits) bool {
	if peer && t.peers() < l.reserved {
		return true
	}
	return t.clients()+max(t.peers(), l.reserved) < l.places
}

// count is how many requests of one identity are under way and wait.
type count uint64

const (
	oneInUse   count = 1
	oneWaiting count = 1 << 32
)

func (c count) inUse() int   { return int(uint32(c)) }
func (c count) waiting() int { return int(c >> 32) }
