package history

import (
	"fmt"
	"time"

	"github.com/candor-plane/candor"
)

// AskedBound checks that a BOUNDED read misses nothing that was acknowledged
// longer before it began than it allowed: its revision is at least the highest
// that was acknowledged by its invocation less the bound.
type AskedBound struct {
	// Least is how many reads must have been checked to say PASS.
	Least int
}

// Check implements [Checker].
func (c AskedBound) Check(h *History) Report {
	r := Report{Property: "bounded reads keep the bound asked for"}
	acknowledged := &h.index().acknowledged
	for o := range h.All() {
		if o.Outcome != OutcomeOK || o.Freshness() != candor.FreshnessBounded {
			continue
		}
		if !o.answered() {
			r.leave("answers without a revision")
			continue
		}
		r.holds(acknowledged, o, o.Token.Revision, o.bound(), "allowed")
	}
	return r.conclude(c.Least)
}

// ClaimedBound checks that the staleness bound of every witness that has one,
// of whatever class and of refusals and writes too, is true.
//
// A bound d of a view that was captured at c says that everything acknowledged
// before c-d is in it. The recorder does not know c, only that it was not
// before the invocation; and a write that it saw acknowledged at t was
// acknowledged at t or earlier. So a bound is proven false by a write that the
// view misses and that was seen acknowledged before the invocation less d, and
// by no other.
type ClaimedBound struct {
	// Least is how many claims must have been checked to say PASS.
	Least int
}

// Check implements [Checker].
func (c ClaimedBound) Check(h *History) Report {
	r := Report{Property: "claimed staleness bounds are true"}
	acknowledged := &h.index().acknowledged
	for o := range h.All() {
		w := o.Witness
		if w == nil || w.StalenessBound == nil || w.ServedToken.Revision == 0 {
			continue
		}
		r.holds(acknowledged, o, w.ServedToken.Revision, *w.StalenessBound, claim(w))
	}
	return r.conclude(c.Least)
}

func claim(w *candor.Witness) string {
	if w.RootLag != nil && *w.RootLag == 0 {
		return "claimed, with lag 0"
	}
	return "claimed"
}

// holds compares a view of revision with the first acknowledged write that it
// misses.
func (r *Report) holds(acknowledged *reached, o *Operation, revision uint64, bound time.Duration, how string) {
	r.Checked++
	missed := acknowledged.by(revision + 1)
	if missed == nil {
		return
	}
	since := time.Duration(o.Invoke - missed.Return)
	r.near(int64(bound-since), "ns")
	if since <= bound {
		return
	}
	r.violate(func() string {
		return fmt.Sprintf("a view of revision %d, at most %s old as %s, misses revision %d, which was acknowledged %s before the call",
			revision, bound, how, missed.Token.Revision, since)
	}, missed, o)
}
