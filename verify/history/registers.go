package history

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// The defaults of Registers.
const (
	DefaultSearch  = 30 * time.Second
	DefaultLongest = 20_000
)

// Registers checks linearizability without looking at any token, for tokens can
// lie: each key on its own is a register, and some order of its writes and
// STRONG reads within their times explains every answer. Reads of an older
// state are left out. What it finds is proof; what it does not find, [Replay]
// and [RealTime] may, for it sees neither transactions nor weaker reads.
type Registers struct {
	// Least is how many operations on keys must have been checked to say PASS.
	Least int
	// Search is how long the search for an order may take in all; 0 for
	// DefaultSearch. A search that is not over is INCONCLUSIVE.
	Search time.Duration
	// Longest is how many operations one key may have; 0 for DefaultLongest. The
	// search takes memory by its square, so a key that has more is not checked
	// and makes it INCONCLUSIVE.
	Longest int
}

// Check implements [Checker].
func (c Registers) Check(h *History) Report {
	r := Report{Property: "registers are linearizable without tokens"}
	longest := c.Longest
	if longest == 0 {
		longest = DefaultLongest
	}
	search := newSearch(c.Search)
	keys, accesses := accesses(h)
	for _, key := range keys {
		one := accesses[key]
		if len(one) > longest {
			r.Why = fmt.Sprintf("key %s has %d operations; %d can be checked: spread them over more keys", key, len(one), longest)
			continue
		}
		switch search.run(one) {
		case porcupine.Ok:
			r.Checked += len(one)
		case porcupine.Illegal:
			r.Checked += len(one)
			r.violate(func() string {
				return fmt.Sprintf("no order of the operations on %s explains all answers", key)
			}, search.shrink(one)...)
		default:
			r.Why = fmt.Sprintf("the search for an order of %d operations on %s took too long", len(one), key)
		}
	}
	return r.conclude(c.Least)
}

// access is one operation as one key sees it.
type access struct {
	operation *Operation
	item      *Item
	// known is the operation as it was recorded, where the history was cut.
	known *Operation
}

// accesses groups what the check is about by key, keys in the order in which
// they first appear, each in the order of invocation.
func accesses(h *History) (keys []string, of map[string][]access) {
	of = map[string][]access{}
	add := func(o *Operation, item *Item) {
		if of[item.Key] == nil {
			keys = append(keys, item.Key)
		}
		of[item.Key] = append(of[item.Key], access{o, item, o})
	}
	x := h.index()
	for o := range h.All() {
		if o.Outcome == OutcomeFailed || !o.strict() || o.At != 0 {
			continue
		}
		for i := range o.Items {
			if x.chains[o.Items[i].Key] != nil {
				add(o, &o.Items[i])
			}
		}
		if o.Scope != "" {
			for _, key := range missing(x, o) {
				add(o, &Item{Key: key, Absent: true})
			}
		}
	}
	return keys, of
}

// search runs porcupine within one budget of time.
type search struct{ until time.Time }

func newSearch(budget time.Duration) search {
	if budget == 0 {
		budget = DefaultSearch
	}
	return search{until: time.Now().Add(budget)}
}

func (s search) run(one []access) porcupine.CheckResult {
	left := time.Until(s.until)
	if left <= 0 {
		return porcupine.Unknown
	}
	return porcupine.CheckOperationsTimeout(register, ranked(one), left)
}

// ranked turns moments into ranks, because porcupine's times have no sequence
// numbers. Moments that are in no order share a rank, and porcupine's intervals
// are closed.
func ranked(one []access) []porcupine.Operation {
	moments := make([]moment, 0, 2*len(one))
	for _, a := range one {
		moments = append(moments, a.operation.invoked(), a.operation.returned())
	}
	slices.SortFunc(moments, moment.compare)
	moments = slices.Compact(moments)
	rank := func(m moment) int64 {
		n, _ := slices.BinarySearchFunc(moments, m, moment.compare)
		return int64(n)
	}
	out := make([]porcupine.Operation, 0, len(one))
	for i := range one {
		a := &one[i]
		o := porcupine.Operation{Input: a, Call: rank(a.operation.invoked()), Return: rank(a.operation.returned())}
		if a.operation.Outcome == OutcomeUnknown {
			o.Return = math.MaxInt64
		}
		out = append(out, o)
	}
	return out
}
