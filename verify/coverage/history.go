package coverage

import (
	"cmp"
	"slices"

	"github.com/candor-plane/candor/verify/history"
)

// OfHistory are the steps of catching up and of modes that the answers in a history
// show, in the order in which they were given. Of the answers of one server it leaves
// out those that another may have overtaken on the way: what such two show in a row may
// never have followed one another.
func OfHistory(h *history.History) []Sight {
	var answers []*history.Operation
	for op := range h.All() {
		if w := op.Witness; w != nil && w.NodeID != "" && w.BootID != "" && w.Mode != "" {
			answers = append(answers, op)
		}
	}
	slices.SortStableFunc(answers, func(a, b *history.Operation) int {
		return cmp.Or(cmp.Compare(a.Return, b.Return), cmp.Compare(a.ReturnSeq, b.ReturnSeq))
	})
	var seen []Sight
	conditions, last := Conditions{}, map[string]*history.Operation{}
	for _, op := range answers {
		node := op.Witness.NodeID
		if was := last[node]; was != nil && !followed(was, op) {
			continue
		}
		last[node] = op
		seen = append(seen, conditions.See(ConditionOf(op.Witness))...)
	}
	return seen
}

// followed says that one was answered before the other was asked.
func followed(was, op *history.Operation) bool {
	return cmp.Or(cmp.Compare(was.Return, op.Invoke), cmp.Compare(was.ReturnSeq, op.InvokeSeq)) < 0
}
