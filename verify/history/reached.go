package history

import (
	"cmp"
	"slices"
)

// reached answers by when a revision, or a later one, is known to have been
// reached: some operation had returned with it.
type reached struct {
	operations []Operation
	revisions  []uint64
	// first[i] is the operation that returned first of those at revisions[i:].
	first []int32
}

// newReached indexes the given operations by their token's revision.
func newReached(operations []Operation, which []int32) reached {
	which = slices.Clone(which)
	slices.SortFunc(which, func(a, b int32) int {
		return cmp.Compare(operations[a].Token.Revision, operations[b].Token.Revision)
	})
	r := reached{operations: operations, revisions: make([]uint64, len(which)), first: which}
	for i := len(which) - 1; i >= 0; i-- {
		r.revisions[i] = operations[which[i]].Token.Revision
		if i+1 < len(which) && operations[which[i+1]].returned().before(operations[which[i]].returned()) {
			which[i] = which[i+1]
		}
	}
	return r
}

// by is the operation that was first to return with revision or a later one;
// nil when none did.
func (r *reached) by(revision uint64) *Operation {
	i, _ := slices.BinarySearch(r.revisions, revision)
	if i == len(r.first) {
		return nil
	}
	return &r.operations[r.first[i]]
}

// lowest is the lowest revision; 0 when there is none.
func (r *reached) lowest() uint64 {
	if len(r.revisions) == 0 {
		return 0
	}
	return r.revisions[0]
}

// room says whether there is a revision in (after, until] that is none of r's.
func (r *reached) room(after, until uint64) bool {
	if until <= after {
		return false
	}
	from, _ := slices.BinarySearch(r.revisions, after+1)
	to, exact := slices.BinarySearch(r.revisions, until)
	if exact {
		to++
	}
	return uint64(to-from) < until-after
}
