package history

import (
	"cmp"
	"slices"
)

// sighting is a version that was read and that no acknowledged write made.
type sighting struct {
	key     string
	version uint64
	item    *Item
	by      *Operation
}

// foreign collects the sightings, each version of a key once.
func (x *index) foreign() []sighting {
	type place struct {
		key     string
		version uint64
	}
	seen := map[place]bool{}
	var found []sighting
	for i := range x.operations {
		o := &x.operations[i]
		if o.Outcome != OutcomeOK || o.turned() {
			continue
		}
		for n := range o.Items {
			item := &o.Items[n]
			if item.Version == 0 {
				continue
			}
			c := x.chains[item.Key]
			if c == nil || c.at(item.Version) != nil || seen[place{item.Key, item.Version}] {
				continue
			}
			seen[place{item.Key, item.Version}] = true
			found = append(found, sighting{key: item.Key, version: item.Version, item: item, by: o})
		}
	}
	return found
}

// pin explains sightings: by a write of unknown outcome that may have made it,
// each by one; of a version older than every recorded turn, by what was there
// before the recording; or by a delete of unknown outcome that left what it
// found going. The rest nobody wrote, and stays unexplained.
//
// A write can have made a version only if it was invoked before anyone is known
// to have reached it. So of those that may, each sighting takes the one that was
// invoked last: what is left may have made as many other versions as can be,
// and if it does not suffice no choice would.
func (x *index) pin() {
	sightings := x.foreign()
	slices.SortStableFunc(sightings, func(a, b sighting) int { return cmp.Compare(a.version, b.version) })
	lowest := x.turns.lowest()
	rest := slices.DeleteFunc(sightings, func(s sighting) bool {
		c := x.chains[s.key]
		before := c.before(s)
		switch {
		case c.at(s.version) != nil: // pinned by another key of its transaction
			return true
		case before != nil && before.going: // it changed on its own
			return true
		case x.settle(s, func(item *Item) bool { return !item.ends() && item.Value == s.item.Value }):
			return true
		case lowest == 0 || s.version < lowest:
			c.insert(version{revision: s.version, item: s.item, by: s.by})
			return true
		default:
			return false
		}
	})
	for _, s := range rest {
		if before := x.chains[s.key].before(s); before != nil && !before.going {
			x.settle(s, func(item *Item) bool { return item.Going })
		}
	}
}

// before is the version that a sighting looks like a later state of: it has the
// same value. It is nil where there is none.
func (c *chain) before(s sighting) *version {
	i := c.until(s.version)
	if i < 0 || c.versions[i].item.Absent || c.versions[i].item.Value != s.item.Value {
		return nil
	}
	return &c.versions[i]
}

// settle pins a write that fits, and that can have happened at the version: it
// happened whole. It says false where there is none.
func (x *index) settle(s sighting, fits func(*Item) bool) bool {
	for _, u := range slices.Backward(x.chains[s.key].unknown) {
		if !fits(u.item) || !x.free(u, s.version) {
			continue
		}
		x.pinned[u.operation] = s.version
		o := &x.operations[u.operation]
		for n := range o.Items {
			c := x.chains[o.Items[n].Key]
			c.insert(version{revision: s.version, item: &o.Items[n], writer: o, by: o})
		}
		return true
	}
	return false
}

// free says whether a write of unknown outcome can be the one of revision.
func (x *index) free(u candidate, revision uint64) bool {
	if _, used := x.pinned[u.operation]; used {
		return false
	}
	return !x.reachedFirst(revision).before(x.operations[u.operation].invoked())
}
