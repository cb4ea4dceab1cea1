package history

import (
	"cmp"
	"slices"
)

// index is what several checkers need to know of a history.
type index struct {
	operations []Operation
	// answers are by every answer at a known position, acknowledged by every
	// acknowledged write, turns by those that made a revision.
	answers, acknowledged, turns reached

	chains map[string]*chain
	keys   []string // of chains, in order
	// pinned are writes of unknown outcome that were seen, with the revision at
	// which they happened.
	pinned map[int32]uint64
}

// chain is what is known of one key that some recorded write names.
type chain struct {
	versions []version
	// unknown are the writes of the key whose outcome is unknown, in the order of
	// their invocation.
	unknown []candidate
}

// version is what one turn made of the key.
type version struct {
	revision uint64
	item     *Item
	// writer is nil for what was there before the recording; by is the writer, or
	// who read it first.
	writer, by *Operation
	// going: it may change and vanish without another recorded write.
	going bool
}

// candidate is what a write of unknown outcome may have made of the key.
type candidate struct {
	operation int32
	item      *Item
}

func newIndex(operations []Operation) *index {
	x := &index{operations: operations, chains: map[string]*chain{}, pinned: map[int32]uint64{}}
	var answers, acknowledged, turns []int32
	for i := range operations {
		o := &operations[i]
		if o.answered() {
			answers = append(answers, int32(i))
			if !o.Kind.Reads() {
				acknowledged = append(acknowledged, int32(i))
			}
			if o.turned() {
				turns = append(turns, int32(i))
			}
		}
		if !o.Kind.Reads() {
			x.write(int32(i), o)
		}
	}
	x.answers = newReached(operations, answers)
	x.acknowledged = newReached(operations, acknowledged)
	x.turns = newReached(operations, turns)
	x.sort()
	x.pin()
	return x
}

// write enters a write into the chains of its keys. One that surely failed, or
// that tells no position, only makes the key known.
func (x *index) write(i int32, o *Operation) {
	for n := range o.Items {
		item := &o.Items[n]
		c := x.chains[item.Key]
		if c == nil {
			c = &chain{}
			x.chains[item.Key] = c
		}
		switch {
		case o.turned() && o.answered():
			c.versions = append(c.versions, version{revision: o.Token.Revision, item: item, writer: o, by: o})
		case o.Outcome == OutcomeUnknown, o.turned():
			c.unknown = append(c.unknown, candidate{operation: i, item: item})
		}
	}
}

func (x *index) sort() {
	x.keys = x.keys[:0]
	for key, c := range x.chains {
		x.keys = append(x.keys, key)
		c.sort()
	}
	slices.Sort(x.keys)
}

// reachedFirst is the moment by which revision is known to have been reached.
func (x *index) reachedFirst(revision uint64) moment {
	if o := x.answers.by(revision); o != nil {
		return o.returned()
	}
	return moment{at: maxTime}
}

const maxTime = int64(^uint64(0) >> 1)

// sort orders the versions.
func (c *chain) sort() {
	slices.SortStableFunc(c.versions, func(a, b version) int { return cmp.Compare(a.revision, b.revision) })
	for i := range c.versions {
		c.carry(i)
	}
}

// insert adds a version in its place.
func (c *chain) insert(v version) {
	i := c.until(v.revision) + 1
	c.versions = slices.Insert(c.versions, i, v)
	c.carry(i)
	for i++; i < len(c.versions) && c.carry(i); i++ {
	}
}

// carry sets whether a version is going: it was left so, or is an update of one
// that was. It says whether that has changed.
func (c *chain) carry(i int) bool {
	v := &c.versions[i]
	was := v.going
	v.going = v.item.Going || i > 0 && c.versions[i-1].going && v.writer != nil && v.writer.Kind == KindUpdate
	return v.going != was
}

// until is the place in c.versions of the newest version that is not newer than
// revision; -1 for none.
func (c *chain) until(revision uint64) int {
	i, _ := slices.BinarySearchFunc(c.versions, revision, func(v version, r uint64) int {
		if v.revision <= r {
			return -1
		}
		return 1
	})
	return i - 1
}

// at is the version of exactly this revision, or nil.
func (c *chain) at(revision uint64) *version {
	i := c.until(revision)
	if i < 0 || c.versions[i].revision != revision {
		return nil
	}
	return &c.versions[i]
}
