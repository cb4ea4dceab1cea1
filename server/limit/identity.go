package limit

import "sync/atomic"

// identity is what is known of one party while it is remembered.
type identity struct {
	key  string
	peer bool
	// pins are the watches of the party and its requests on the slow way in. While
	// there is one, or a place, it is not forgotten. Both rise only under the
	// shard's lock or while there is another.
	pins    atomic.Int64
	watches atomic.Int64
	lines   [classCount]line
}

func newIdentity(who Who, classes *[classCount]class) *identity {
	id := &identity{key: who.Key(), peer: who.peer}
	for i := range id.lines {
		id.lines[i].identity, id.lines[i].class = id, &classes[i]
	}
	return id
}

func (i *identity) unpin() { i.pins.Add(-1) }

// active says whether the party has something under way.
func (i *identity) active() bool {
	if i.pins.Load() != 0 {
		return true
	}
	for at := range i.lines {
		if i.lines[at].load() != 0 {
			return true
		}
	}
	return false
}

// owes says whether some bucket of the party is not yet full again.
func (i *identity) owes(now int64) bool {
	for at := range i.lines {
		if i.lines[at].full.Load() > now {
			return true
		}
	}
	return false
}

// line is one identity in one class.
type line struct {
	identity *identity
	class    *class
	count    atomic.Uint64 // a count
	full     atomic.Int64  // when the bucket is full again: see rate
	entered  atomic.Uint64
	refused  atomic.Uint64
	// queue is there while requests wait; the class's lock guards it.
	queue *queue
}

func (l *line) load() count { return count(l.count.Load()) }
func (l *line) add(n count) { l.count.Add(uint64(n)) }
func (l *line) sub(n count) { l.count.Add(-uint64(n)) }

// share is how many places the identity may have: servers carry the requests of
// many, so the class bounds them and nothing else does.
func (l *line) share(lim *limits) int {
	if l.identity.peer {
		return maxPlaces
	}
	return lim.share
}

// owesRate says whether the identity pays for its requests: servers do not.
func (l *line) owesRate(lim *limits) bool { return lim.rate.interval != 0 && !l.identity.peer }

// take counts one more in use unless the share is used up or others of the
// identity wait, whom it would overtake.
func (l *line) take(share int) bool {
	for {
		was := l.load()
		if was.waiting() > 0 || was.inUse() >= share {
			return false
		}
		if l.count.CompareAndSwap(uint64(was), uint64(was+oneInUse)) {
			return true
		}
	}
}

// drop counts one less in use, unless others wait, who may want its place.
func (l *line) drop() bool {
	for {
		was := l.load()
		if was.inUse() == 0 {
			panic("limit: a place was left twice")
		}
		if was.waiting() > 0 {
			return false
		}
		if l.count.CompareAndSwap(uint64(was), uint64(was-oneInUse)) {
			return true
		}
	}
}

// one is what a request of the identity adds to a class's tally.
func (l *line) one() tally {
	if l.identity.peer {
		return onePeer
	}
	return oneClient
}
