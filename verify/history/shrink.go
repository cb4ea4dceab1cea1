package history

import (
	"slices"
	"sort"

	"github.com/anishathalye/porcupine"
)

// shrink returns few of the accesses of one key that no order explains. It cuts
// the history after the moment at which it went wrong, and before the last quiet
// moment from which it is still wrong; then it leaves out reads and writes that
// nobody reads: what was right stays right without them, so what is
// left and wrong was wrong before. What cannot be decided in time stays.
func (s search) shrink(one []access) []*Operation {
	wrong := func(some []access) bool { return s.run(some) == porcupine.Illegal }
	least := latest(shortest(one, wrong), wrong)
	least = without(least, func(a access) bool { return a.operation.Kind.Reads() }, wrong)
	least = without(least, unread(least), wrong)
	var out []*Operation
	for _, a := range least {
		out = append(out, a.known)
	}
	return out
}

// unread is true for writes whose value nobody reads and that no other write's
// condition can rest on.
func unread(some []access) func(access) bool {
	read, onlyPuts := map[string]bool{}, true
	for _, a := range some {
		switch {
		case a.operation.Kind.Reads() || a.operation.Unchanged:
			read[a.item.Value] = true
		case a.operation.Kind != KindPut:
			onlyPuts = false
		}
	}
	return func(a access) bool {
		over := a.operation.Kind == KindUpdate || a.operation.Kind == KindPut && onlyPuts
		return over && !a.operation.Unchanged && !read[a.item.Value]
	}
}

// shortest is the shortest history that is wrong already: of the accesses that
// had returned by some moment. Whatever had not is left out if it reads, and
// may happen later if it writes.
func shortest(one []access, wrong func([]access) bool) []access {
	returns := make([]moment, 0, len(one))
	for _, a := range one {
		returns = append(returns, a.operation.returned())
	}
	slices.SortFunc(returns, moment.compare)
	n := sort.Search(len(returns), func(i int) bool { return wrong(by(one, returns[i])) })
	if n == len(returns) {
		return one
	}
	return by(one, returns[n])
}

// by is the history as it was known at moment m.
func by(one []access, m moment) []access {
	var some []access
	for _, a := range one {
		o := a.operation
		switch {
		case !m.before(o.returned()):
			some = append(some, a)
		case !o.Kind.Reads() && !m.before(o.invoked()):
			pending := *o
			pending.Outcome = OutcomeUnknown
			some = append(some, access{operation: &pending, item: a.item, known: a.known})
		}
	}
	return some
}

// latest is the shortest end of the history that is wrong already, whatever was
// there before it. It begins at a quiet moment, at which nothing was under way
// but writes of unknown outcome; those stay.
func latest(one []access, wrong func([]access) bool) []access {
	var ends [][]access
	var pending []access
	var returned, gone moment
	going := false
	for i, a := range one {
		o := a.operation
		if i > 0 && returned.before(o.invoked()) && !going {
			ends = append(ends, append(slices.Clone(pending), one[i:]...))
		}
		switch {
		case o.Outcome == OutcomeUnknown:
			pending = append(pending, a)
			continue
		case a.item.Going:
			going, gone = true, later(gone, o.returned())
		case o.Kind == KindCreate && gone.before(o.invoked()):
			going = false
		}
		returned = later(returned, o.returned())
	}
	n := sort.Search(len(ends), func(i int) bool { return !wrong(ends[i]) })
	if n == 0 {
		return one
	}
	return ends[n-1]
}

func later(a, b moment) moment {
	if a.before(b) {
		return b
	}
	return a
}

// without leaves out as many of the accesses that may be left out as it can, in
// ever smaller groups, while the rest stays wrong.
func without(some []access, may func(access) bool, wrong func([]access) bool) []access {
	for group := len(some); group > 0; group /= 2 {
		for from := 0; from < len(some); {
			rest := leave(some, from, group, may)
			if len(rest) < len(some) && wrong(rest) {
				some = rest
				continue
			}
			from += group
		}
	}
	return some
}

// leave drops those of a group that may be.
func leave(some []access, from, group int, may func(access) bool) []access {
	var rest []access
	for i, a := range some {
		if i >= from && i < from+group && may(a) {
			continue
		}
		rest = append(rest, a)
	}
	return rest
}
