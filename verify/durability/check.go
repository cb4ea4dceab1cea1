package durability

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// Recording is what clients did in one run, and what the cluster has in the end.
type Recording struct {
	History  *history.History
	Versions []history.Versions
	Finals   []Final
	Repeats  []Repeat
}

// Check runs all checkers, each of which must have checked least items to say PASS.
func (r *Recording) Check(least int) []history.Report {
	x := newIndex(r)
	return []history.Report{x.kept(least), x.phantoms(least), x.failed(least), repeated(r.Repeats, least)}
}

// index is the writes of each key that was read in the end, and what was read.
type index struct {
	*Recording
	keys   map[string]*written
	finals []final
	left   int // acknowledged writes of keys that nobody read in the end
}

// written is what clients did to one key.
type written struct {
	key string
	// made are acknowledged, by revision; unknown may have happened, failed surely not.
	made    []change
	unknown []change
	failed  []change
	// going: the object may get versions and vanish without a recorded write.
	going bool
}

// change is what one operation made, or meant to make, of the key.
type change struct {
	revision  uint64 // 0 where it is not known
	item      *history.Item
	operation *history.Operation
}

// final is a list with its items by key.
type final struct {
	*Final
	items map[string]*history.Item
}

func newIndex(r *Recording) *index {
	x := &index{Recording: r, keys: map[string]*written{}}
	if len(r.Versions) == 0 && len(r.Finals) == 0 {
		return x
	}
	for i := range r.Finals {
		f := final{Final: &r.Finals[i], items: map[string]*history.Item{}}
		for j := range f.Items {
			f.items[f.Items[j].Key] = &f.Items[j]
		}
		x.finals = append(x.finals, f)
	}
	for i := range r.Versions {
		x.keys[r.Versions[i].Key] = &written{key: r.Versions[i].Key}
	}
	for o := range r.History.All() {
		if o.Kind.Reads() {
			continue
		}
		for i := range o.Items {
			x.write(o, &o.Items[i])
		}
	}
	for _, w := range x.keys {
		slices.SortStableFunc(w.made, func(a, b change) int { return cmp.Compare(a.revision, b.revision) })
	}
	return x
}

func (x *index) write(o *history.Operation, item *history.Item) {
	w := x.keys[item.Key]
	if w == nil && slices.ContainsFunc(x.finals, func(f final) bool { return strings.HasPrefix(item.Key, f.Scope) }) {
		w = &written{key: item.Key}
		x.keys[item.Key] = w
	}
	if w == nil {
		if o.Outcome == history.OutcomeOK && !o.Unchanged {
			x.left++
		}
		return
	}
	c := change{item: item, operation: o}
	switch {
	case o.Outcome == history.OutcomeFailed:
		w.failed = append(w.failed, c)
		return
	case o.Outcome == history.OutcomeUnknown, !o.Unchanged && o.Token.Revision == 0:
		w.unknown = append(w.unknown, c)
	case o.Unchanged:
		return
	default:
		c.revision = o.Token.Revision
		w.made = append(w.made, c)
	}
	w.going = w.going || item.Going
}

// at is the acknowledged write that made a revision, or nil.
func (w *written) at(revision uint64) *change {
	i, found := slices.BinarySearchFunc(w.made, revision, func(c change, r uint64) int { return cmp.Compare(c.revision, r) })
	if !found {
		return nil
	}
	return &w.made[i]
}

// mayVanish says whether the object may have been removed at any time, for all that is
// known.
func (w *written) mayVanish() bool {
	return w.going || slices.ContainsFunc(w.unknown, func(c change) bool { return c.item.Absent || c.item.Going })
}

// mayEnd says whether it may have been removed after a revision.
func (w *written) mayEnd(revision uint64) bool {
	return w.mayVanish() || slices.ContainsFunc(w.made, func(c change) bool { return c.revision > revision && c.item.Absent })
}

// repeated checks that a write which is sent again under its request ID is done once:
// its second answer names the revision of the first.
func repeated(all []Repeat, least int) history.Report {
	r := history.Report{Property: "a call that is repeated is done once"}
	for i := range all {
		one := &all[i]
		switch {
		case one.Again == (candor.Token{}):
			r.Leave("repeats that were refused: " + string(one.Reason))
		case one.Again.Revision != one.First.Revision:
			r.Checked++
			r.Break(func() string {
				return fmt.Sprintf("request %s made revision %d, and revision %d when it was repeated", one.RequestID, one.First.Revision, one.Again.Revision)
			}, nil, one.exhibit())
		default:
			r.Checked++
		}
	}
	return r.Conclude(least)
}

func (r *Repeat) exhibit() history.Exhibit {
	return history.Exhibit{Record: "repeat", At: r.At, Text: fmt.Sprintf("%s sent %s again: %s at first, then %s", r.Client, r.RequestID, r.First, r.Again)}
}
