package durability

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/candor-plane/candor/verify/history"
)

// kept checks that every acknowledged write is what the cluster has at its revision:
// among the versions of its key, and, unless a later one took its place, in every
// complete list.
func (x *index) kept(least int) history.Report {
	r := history.Report{Property: "acknowledged writes are kept"}
	for i := range x.Versions {
		v := &x.Versions[i]
		w := x.keys[v.Key]
		for j := range w.made {
			x.inVersions(&r, w, v, &w.made[j])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(x.keys)) {
		w := x.keys[key]
		for i := range x.finals {
			if f := &x.finals[i]; strings.HasPrefix(key, f.Scope) {
				x.inFinal(&r, w, f)
			}
		}
	}
	for range x.left {
		r.Leave("acknowledged writes of keys that nobody read in the end")
	}
	return r.Conclude(least)
}

// inVersions looks for a write among the versions of its key. A version above the floor
// is kept; one at or below it only while nothing followed.
func (x *index) inVersions(r *history.Report, w *written, v *history.Versions, c *change) {
	if c.revision > v.Revision {
		return // read before it
	}
	place, found := slices.BinarySearchFunc(v.Versions, c.revision, func(one history.Version, at uint64) int {
		switch {
		case one.Revision < at:
			return -1
		case one.Revision > at:
			return 1
		default:
			return 0
		}
	})
	switch {
	case found:
		r.Checked++
		one := &v.Versions[place]
		switch {
		case one.Deleted != c.item.Absent:
			r.Break(func() string {
				return fmt.Sprintf("revision %d of %s is another kind of change than was acknowledged", c.revision, w.key)
			},
				[]*history.Operation{c.operation}, exhibit(v, one))
		case !one.Deleted && one.Value != "" && c.item.Value != "" && one.Value != c.item.Value:
			r.Break(func() string {
				return fmt.Sprintf("revision %d of %s was acknowledged as %s, and is %s", c.revision, w.key, c.item.Value, one.Value)
			}, []*history.Operation{c.operation}, exhibit(v, one))
		}
	case c.revision <= v.Floor && (place < len(v.Versions) || c.item.Absent || len(v.Versions) == 0 && w.mayEnd(c.revision)):
		r.Leave("acknowledged writes that are compacted")
	case len(v.Versions) == 0 && v.Floor == 0 && (c.item.Absent || w.mayEnd(c.revision)):
		// Nothing is there, and where the floor is was not said.
		r.Leave("acknowledged writes of objects that are gone")
	default:
		r.Checked++
		r.Break(func() string {
			return fmt.Sprintf("revision %d of %s was acknowledged, and is not among what is kept at revision %d", c.revision, w.key, v.Revision)
		}, []*history.Operation{c.operation}, around(v, place)...)
	}
}

// inFinal compares a list with the newest acknowledged write that it must show.
func (x *index) inFinal(r *history.Report, w *written, f *final) {
	newest := -1
	for i := range w.made {
		if w.made[i].revision <= f.Revision {
			newest = i
		}
	}
	if newest < 0 {
		return
	}
	c := &w.made[newest]
	item := f.items[w.key]
	r.Checked++
	lost := func(why string) {
		r.Break(func() string {
			return fmt.Sprintf("revision %d of %s was acknowledged; the list of revision %d %s", c.revision, w.key, f.Revision, why)
		}, []*history.Operation{c.operation}, f.exhibit(w.key, item))
	}
	switch {
	case item == nil && !c.item.Absent && !w.mayVanish():
		lost("does not have it, and nobody removed it")
	case item == nil:
	case item.Version != 0 && item.Version < c.revision:
		lost(fmt.Sprintf("has version %d", item.Version))
	case item.Version == c.revision && c.item.Absent:
		lost("has what it removed")
	case item.Version == c.revision && item.Value != "" && c.item.Value != "" && item.Value != c.item.Value:
		lost(fmt.Sprintf("has %s there, and not %s", item.Value, c.item.Value))
	case item.Version == 0 && c.item.Absent && len(w.unknown) == 0 && !w.going:
		lost("has what it removed")
	}
}

func exhibit(v *history.Versions, one *history.Version) history.Exhibit {
	what := one.Value
	if one.Deleted {
		what = "removed"
	}
	return history.Exhibit{Record: "versions", Text: fmt.Sprintf("%s at revision %d: %s; read at revision %d, floor %d%s", v.Key, one.Revision, what, v.Revision, v.Floor, by(v.Node))}
}

// around are the versions before and after a place where one is missing.
func around(v *history.Versions, place int) (shown []history.Exhibit) {
	if place > 0 {
		shown = append(shown, exhibit(v, &v.Versions[place-1]))
	}
	if place < len(v.Versions) {
		shown = append(shown, exhibit(v, &v.Versions[place]))
	}
	if len(shown) == 0 {
		shown = append(shown, history.Exhibit{Record: "versions", Text: fmt.Sprintf("%s: nothing at revision %d, floor %d%s", v.Key, v.Revision, v.Floor, by(v.Node))})
	}
	return shown
}

func (f *final) exhibit(key string, item *history.Item) history.Exhibit {
	text := fmt.Sprintf("%s* at revision %d%s: ", f.Scope, f.Revision, by(f.Node))
	if item == nil {
		return history.Exhibit{Record: "final", Text: text + key + " is not there"}
	}
	return history.Exhibit{Record: "final", Text: text + item.String()}
}

func by(node string) string {
	if node == "" {
		return ""
	}
	return ", by " + node
}
