package history

import (
	"fmt"
	"slices"
	"strings"
)

// Replay checks that each answer, of whatever class, equals what the recorded
// writes make of its keys at the revision that it is of: nothing acknowledged
// is missing, nothing that surely failed and nothing that nobody wrote is seen,
// a transaction is seen whole, and a LIST is complete. It also checks that an
// acknowledged CREATE found the key absent, and an UPDATE or DELETE present.
//
// Only keys that a recorded write names are looked at: every write of such a
// key must be recorded. Items are O(log n) each, and for a LIST also one for
// every key in its scope.
type Replay struct {
	// Least is how many items must have been compared to say PASS.
	Least int
}

// Check implements [Checker].
func (c Replay) Check(h *History) Report {
	x := h.index()
	r := replay{index: x, report: Report{Property: "answers equal replay"}, spans: map[span]*absence{}, used: map[int32]bool{}}
	for i := range x.operations {
		o := &x.operations[i]
		switch {
		case o.Outcome != OutcomeOK:
		case o.at() == 0:
			r.report.leave("answers without a revision")
		case o.turned():
			r.precondition(o)
		default:
			r.read(o)
		}
	}
	r.absences()
	return r.report.conclude(c.Least)
}

// replay is one check under way.
type replay struct {
	*index
	report Report
	spans  map[span]*absence
	// used are deletes of unknown outcome that explain an absence.
	used map[int32]bool
}

// span is the time of one version of a key, until the next that is known.
type span struct {
	chain   *chain
	version int
}

// absence is what was seen of a version that has no recorded end: it was there,
// and it was gone.
type absence struct {
	key string
	// gone is the answer of the lowest revision that found it gone.
	gone   *Operation
	goneAt uint64
	// there is the answer of the highest revision that found it.
	there   *Operation
	thereAt uint64
}

func (r *replay) read(o *Operation) {
	at := o.at()
	if o.At > o.Token.Revision && o.Token.Revision != 0 {
		r.report.violate(func() string {
			return fmt.Sprintf("an answer is of revision %d, and its view at %s", o.At, o.Token)
		}, o)
	}
	named := make(map[string]bool, len(o.Items))
	for i := range o.Items {
		item := &o.Items[i]
		c := r.chains[item.Key]
		switch {
		case named[item.Key]:
			r.report.violate(func() string { return fmt.Sprintf("an answer has key %s twice", item.Key) }, o)
		case c == nil:
			r.report.leave("items of keys that no recorded write names")
		case item.Absent:
			r.report.Checked++
			r.absent(c, item.Key, o, at)
		default:
			r.report.Checked++
			r.present(c, item, o, at)
		}
		if len(o.Items) > 1 {
			named[item.Key] = true
		}
	}
	if o.Scope != "" {
		r.complete(o, at)
	}
}

// complete: what a LIST does not name of its scope, it found absent.
func (r *replay) complete(o *Operation, at uint64) {
	for _, key := range missing(r.index, o) {
		r.report.Checked++
		r.absent(r.chains[key], key, o, at)
	}
}

// missing are the known keys in the scope of a LIST that it does not name.
func missing(x *index, o *Operation) []string {
	named := make(map[string]bool, len(o.Items))
	for i := range o.Items {
		named[o.Items[i].Key] = true
	}
	var keys []string
	from, _ := slices.BinarySearch(x.keys, o.Scope)
	for _, key := range x.keys[from:] {
		if !strings.HasPrefix(key, o.Scope) {
			break
		}
		if !named[key] {
			keys = append(keys, key)
		}
	}
	return keys
}

func (r *replay) present(c *chain, item *Item, o *Operation, at uint64) {
	n := c.until(at)
	var v *version
	if n >= 0 {
		v = &c.versions[n]
	}
	switch {
	case item.Version == 0:
		r.unversioned(c, n, item, o, at)
	case item.Version > at:
		r.report.violate(func() string {
			return fmt.Sprintf("an answer as of revision %d shows %s, which is newer", at, item)
		}, o)
	case v == nil:
		r.phantom(item, o, nil)
	case v.going && item.Version >= v.revision: // what is going may change on its own
	case item.Version < v.revision:
		r.report.violate(func() string {
			return fmt.Sprintf("an answer as of revision %d shows %s, and misses the write of %s at revision %d", at, item, v.item, v.revision)
		}, v.by, o)
	case item.Version > v.revision || v.item.Absent:
		r.phantom(item, o, v.by)
	case item.Value != v.item.Value:
		r.report.violate(func() string {
			return fmt.Sprintf("an answer shows %s, and revision %d wrote %s", item, v.revision, v.item)
		}, v.by, o)
	default:
		r.there(c, n, item.Key, o, at)
	}
}

// unversioned judges by the value alone, for systems that tell no versions.
func (r *replay) unversioned(c *chain, n int, item *Item, o *Operation, at uint64) {
	after := uint64(0)
	if n >= 0 {
		after = c.versions[n].revision
	}
	perhaps := slices.ContainsFunc(c.unknown, func(u candidate) bool {
		return !u.item.ends() && u.item.Value == item.Value && r.free(u, at)
	})
	switch {
	case n >= 0 && c.versions[n].going:
	case n >= 0 && !c.versions[n].item.Absent && c.versions[n].item.Value == item.Value:
	case perhaps && r.turns.room(after, at):
	case n >= 0:
		v := &c.versions[n]
		r.report.violate(func() string {
			return fmt.Sprintf("an answer as of revision %d shows %s, where revision %d wrote %s", at, item, v.revision, v.item)
		}, v.by, o)
	case c.began():
		r.phantom(item, o, nil)
	default:
		r.report.leave("items that may be from before the recording")
	}
}

// began says whether nothing was there before the first version that is known.
func (c *chain) began() bool {
	return len(c.versions) > 0 && c.versions[0].writer != nil && c.versions[0].writer.Kind == KindCreate &&
		!slices.ContainsFunc(c.unknown, func(u candidate) bool { return u.item.ends() })
}

func (r *replay) there(c *chain, n int, key string, o *Operation, at uint64) {
	if a := r.span(c, n, key); a.there == nil || at > a.thereAt {
		a.there, a.thereAt = o, at
	}
}

func (r *replay) absent(c *chain, key string, o *Operation, at uint64) {
	n := c.until(at)
	if n < 0 || c.versions[n].item.Absent {
		return
	}
	if a := r.span(c, n, key); a.gone == nil || at < a.goneAt {
		a.gone, a.goneAt = o, at
	}
}

func (r *replay) span(c *chain, n int, key string) *absence {
	place := span{c, n}
	a := r.spans[place]
	if a == nil {
		a = &absence{key: key}
		r.spans[place] = a
	}
	return a
}

// precondition is what an acknowledged write says about the revision before it.
func (r *replay) precondition(o *Operation) {
	if o.Kind == KindPut || o.Kind == KindTxn {
		return
	}
	item := &o.Items[0]
	c, before := r.chains[item.Key], o.Token.Revision-1
	r.report.Checked++
	n := c.until(before)
	switch {
	case o.Kind == KindCreate:
		r.absent(c, item.Key, o, before)
	case n < 0, !c.versions[n].item.Absent:
	case !slices.ContainsFunc(c.unknown, func(u candidate) bool { return !u.item.ends() && r.free(u, before) }):
		v := &c.versions[n]
		r.report.violate(func() string {
			return fmt.Sprintf("%s of %s was acknowledged at revision %d; nothing was there since revision %d", o.Kind, item.Key, o.Token.Revision, v.revision)
		}, v.by, o)
	}
}
