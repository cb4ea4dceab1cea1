package history

import "slices"

// sweep goes through the given operations, which are in the order of their
// invocation: it calls visit for each, after it has called enter for all of
// them that had returned by then. O(n log n).
func sweep(operations []Operation, which []int32, enter, visit func(*Operation)) {
	returning := slices.Clone(which)
	slices.SortStableFunc(returning, func(a, b int32) int {
		return operations[a].returned().compare(operations[b].returned())
	})
	next := 0
	for _, i := range which {
		o := &operations[i]
		for next < len(returning) && operations[returning[next]].precedes(o) {
			enter(&operations[returning[next]])
			next++
		}
		visit(o)
	}
}

// which are the operations that a condition holds for.
func which(operations []Operation, condition func(*Operation) bool) []int32 {
	var found []int32
	for i := range operations {
		if condition(&operations[i]) {
			found = append(found, int32(i))
		}
	}
	return found
}

// furthest keeps the operation of the highest revision.
type furthest struct{ operation *Operation }

func (f *furthest) enter(o *Operation) {
	if f.operation == nil || o.Token.Revision > f.operation.Token.Revision {
		f.operation = o
	}
}
