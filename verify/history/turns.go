package history

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/candor-plane/candor"
)

// Turns checks that each write that made a revision made one of its own, and
// that all tokens of the history lie in one order: indexes, terms and revisions
// rise together, one index has one term, and all are of one cluster's one
// history.
type Turns struct {
	// Least is how many writes must have been compared to say PASS.
	Least int
}

// Check implements [Checker].
func (c Turns) Check(h *History) Report {
	r := Report{Property: "each write has its turn"}
	r.turns(h.index())
	r.oneOrder(h.operations)
	r.oneHistory(h.operations)
	return r.conclude(c.Least)
}

type turn struct {
	revision uint64
	writer   *Operation
}

func (r *Report) turns(x *index) {
	var turns []turn
	for i := range x.operations {
		o := &x.operations[i]
		revision, pinned := x.pinned[int32(i)]
		switch {
		case o.Kind.Reads():
		case pinned:
			turns = append(turns, turn{revision, o})
		case o.turned() && o.answered():
			turns = append(turns, turn{o.Token.Revision, o})
		case o.turned():
			r.leave("acknowledged writes without a revision")
		}
	}
	r.Checked = len(turns)
	slices.SortStableFunc(turns, func(a, b turn) int { return cmp.Compare(a.revision, b.revision) })
	for i := range turns {
		if i > 0 && turns[i].revision == turns[i-1].revision {
			r.violate(func() string {
				return fmt.Sprintf("two writes made revision %d", turns[i].revision)
			}, turns[i-1].writer, turns[i].writer)
		}
	}
}

// position is a token and who told it.
type position struct {
	token candor.Token
	by    *Operation
}

func (r *Report) oneOrder(operations []Operation) {
	var told []position
	for i := range operations {
		o := &operations[i]
		told = append(told, position{o.Token, o})
		if o.Witness == nil {
			continue
		}
		told = append(told, position{o.Witness.ServedToken, o})
		if o.Witness.CurrentToken != nil {
			told = append(told, position{*o.Witness.CurrentToken, o})
		}
	}
	told = slices.DeleteFunc(told, func(p position) bool { return p.token.Index == 0 })
	slices.SortStableFunc(told, func(a, b position) int {
		return cmp.Or(cmp.Compare(a.token.Index, b.token.Index), cmp.Compare(a.token.Revision, b.token.Revision))
	})
	for i := 1; i < len(told); i++ {
		a, b := told[i-1], told[i]
		switch {
		case a.token.Index == b.token.Index && a.token.Term == b.token.Term:
		case a.token.Index == b.token.Index, b.token.Term < a.token.Term, b.token.Revision < a.token.Revision:
			r.violate(func() string {
				return fmt.Sprintf("tokens %s and %s cannot be of one history", a.token, b.token)
			}, a.by, b.by)
		}
	}
}

func (r *Report) oneHistory(operations []Operation) {
	var first *Operation
	for i := range operations {
		o := &operations[i]
		if o.Witness == nil || o.Witness.ClusterID == "" || o.Witness.HistoryID == "" {
			continue
		}
		if first == nil {
			first = o
		}
		if a, b := first.Witness, o.Witness; a.ClusterID != b.ClusterID || a.HistoryID != b.HistoryID {
			r.violate(func() string {
				return fmt.Sprintf("answers of cluster %s, history %s and of cluster %s, history %s", a.ClusterID, a.HistoryID, b.ClusterID, b.HistoryID)
			}, first, o)
		}
	}
}
